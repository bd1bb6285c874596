import { login, Refused, type Session } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { languageChoice } from "./language-choice.ts"
import { t } from "./texts/language.ts"

/** The form to log in with; calls back once that worked. */
export function loginView(loggedIn: (user: Session) => void, languageChosen: () => void, notice: string): HTMLElement {
    const user = h("input", { id: "user", autocomplete: "username", required: "" })
    const password = h("input", {
        ...{ id: "password", type: "password", autocomplete: "current-password", required: "" },
    })
    const code = h("input", { id: "code", autocomplete: "one-time-code", maxlength: "40" })
    const factor = h("div", { class: "login-code", hidden: "" }, h("label", { for: "code" }, t.login.code), code)
    const button = h("button", {}, t.login.logIn)
    const problem = h("p", { class: "problem", role: "alert" })
    const form = h(
        "form",
        { class: "login" },
        h("p", { class: "login-notice", role: "alert" }, notice),
        h("h1", {}, t.shell.product),
        h("label", { for: "user" }, t.login.user),
        user,
        h("label", { for: "password" }, t.login.password),
        password,
        factor,
        button,
        problem,
        languageChoice(languageChosen),
    )
    const submit = async () => {
        button.disabled = true
        setText(problem, "")
        try {
            loggedIn(await login(user.value, password.value, code.value || undefined))
        } catch (error) {
            button.disabled = false
            if (error instanceof Refused && error.problem?.code === "needs-code") {
                factor.hidden = false
                return code.focus()
            }
            setText(problem, sentence((error as Error).message))
            password.select()
        }
    }
    form.addEventListener("submit", event => {
        event.preventDefault()
        void submit()
    })
    queueMicrotask(() => user.focus())
    return h("main", { class: "login-page" }, form)
}

/** A message of the clinic, as a sentence. */
export function sentence(text: string): string {
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
