import { h, setText } from "../../browser/dom.ts"
import { login, setPassword } from "./api.ts"

const minPasswordChars = "12"
const setupForm = /^#setup=([\w.-]{1,200})$/

/** The setup link that brought somebody here, if any. It is taken out of the address, so that nobody reads it over a shoulder. */
export function takeSetupLink(): string | undefined {
    const [, link] = setupForm.exec(location.hash) ?? []
    if (link !== undefined) history.replaceState(null, "", location.pathname)
    return link
}

/** The form to sign in with; calls back once that worked. */
export function signInView(notice: string, signedIn: () => void): HTMLElement {
    const user = h("input", { id: "user", autocomplete: "username", required: "", maxlength: "32" })
    const password = passwordField("password", "current-password")
    return view(
        [h("p", { role: "status" }, notice), ...labelled("User", user), ...labelled("Password", password)],
        "Sign in",
        async () => {
            await login(user.value, password.value)
            signedIn()
        },
    )
}

/** The form that sets a password with a setup link; calls back once that worked. */
export function setupView(link: string, done: () => void): HTMLElement {
    const [password, again] = [passwordField("new-password"), passwordField("again")]
    for (const field of [password, again]) field.minLength = Number(minPasswordChars)
    const hint = `Choose a password of at least ${minPasswordChars} characters for the router’s page.`
    return view(
        [h("p", {}, hint), ...labelled("New password", password), ...labelled("Once more", again)],
        "Set the password",
        async () => {
            if (password.value !== again.value) throw new Error("the two are not the same")
            await setPassword(link, password.value)
            done()
        },
    )
}

function view(parts: HTMLElement[], action: string, act: () => Promise<void>): HTMLElement {
    const button = h("button", {}, action)
    const fault = h("p", { class: "fault", role: "alert" })
    const form = h("form", { class: "sign-in" }, h("h1", {}, "VitalMote router"), ...parts, button, fault)
    form.addEventListener("submit", event => {
        event.preventDefault()
        button.disabled = true
        setText(fault, "")
        act()
            .catch((error: Error) =>
                setText(fault, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`),
            )
            .finally(() => (button.disabled = false))
    })
    queueMicrotask(() => form.querySelector("input")!.focus())
    return h("main", { class: "sign-in-page" }, form)
}

function passwordField(id: string, autocomplete: AutoFill = "new-password"): HTMLInputElement {
    return h("input", { id, type: "password", autocomplete, required: "", maxlength: "200" })
}

function labelled(label: string, input: HTMLInputElement): HTMLElement[] {
    return [h("label", { for: input.id }, label), input]
}
