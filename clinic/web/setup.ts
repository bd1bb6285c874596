import { setPassword } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { sentence } from "./login.ts"
import { t } from "./texts/language.ts"

/** The form to set a password with a setup link; calls back once that worked. */
export function setupView(token: string, done: () => void): HTMLElement {
    const field = (id: string) =>
        h("input", {
            id,
            type: "password",
            autocomplete: "new-password",
            required: "",
            minlength: "12",
            maxlength: "200",
        })
    const [password, again] = [field("new-password"), field("again")]
    const button = h("button", {}, t.login.setPassword)
    const problem = h("p", { class: "problem", role: "alert" })
    const view = h(
        "form",
        { class: "login" },
        h("h1", {}, t.shell.product),
        h("p", {}, t.login.setupHint),
        h("label", { for: "new-password" }, t.login.newPassword),
        password,
        h("label", { for: "again" }, t.login.again),
        again,
        button,
        problem,
    )
    const submit = async () => {
        if (password.value !== again.value) return setText(problem, t.login.notTheSame)
        button.disabled = true
        setText(problem, "")
        try {
            await setPassword(token, password.value)
            done()
        } catch (error) {
            setText(problem, sentence((error as Error).message))
            button.disabled = false
        }
    }
    view.addEventListener("submit", event => {
        event.preventDefault()
        void submit()
    })
    queueMicrotask(() => password.focus())
    return h("main", { class: "login-page" }, view)
}
