import { login, type Session } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"

/** The form to log in with; calls back once that worked. */
export function loginView(loggedIn: (user: Session) => void): HTMLElement {
    const user = h("input", { id: "user", autocomplete: "username", required: "" })
    const password = h("input", {
        ...{ id: "password", type: "password", autocomplete: "current-password", required: "" },
    })
    const button = h("button", {}, "Log in")
    const problem = h("p", { class: "problem", role: "alert" })
    const form = h(
        "form",
        { class: "login" },
        h("h1", {}, "VitalMote"),
        h("label", { for: "user" }, "User"),
        user,
        h("label", { for: "password" }, "Password"),
        password,
        button,
        problem,
    )
    const submit = async () => {
        button.disabled = true
        setText(problem, "")
        try {
            loggedIn(await login(user.value, password.value))
        } catch (error) {
            setText(problem, sentence((error as Error).message))
            button.disabled = false
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

function sentence(text: string): string {
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
