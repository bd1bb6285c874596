import { leaveView } from "./arrival.ts"
import { confirmSignIn, here, login, me, Refused, signInWays, type Session, type SignInWays } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { languageChoice } from "./language-choice.ts"
import { t } from "./texts/language.ts"

export interface LoginOptions {
    loggedIn: (user: Session) => void
    languageChosen: () => void
    /** What somebody has to know before. */
    notice: string
    /** Whoever came in by the provider may want to leave it, too. */
    hasLeftProvider?: boolean
    /** The provider knows who it is; the second factor is missing. */
    needsCode?: boolean
}

/** The ways to sign in; calls back once one of them worked. */
export function loginView(o: LoginOptions): HTMLElement {
    const form = o.needsCode ? codeForm(o) : passwordForm(o)
    const others = h("div", { class: "login-others" })
    const view = h(
        "div",
        { class: "login" },
        h("p", { class: "login-notice", role: "alert" }, o.notice),
        h("h1", {}, t.shell.product),
        others,
        form,
        languageChoice(o.languageChosen),
    )
    if (!o.needsCode)
        void signInWays()
            .then(ways => offer(ways, { others, form, o }))
            // Without an answer there are passwords at least, and they say what is wrong.
            .catch(() => undefined)
    return h("main", { class: "login-page" }, view)
}

/** What there is beside passwords. */
function offer(
    { openid, passwords }: SignInWays,
    { others, form, o }: { others: HTMLElement; form: HTMLElement; o: LoginOptions },
): void {
    if (openid) {
        const go = providerLink(t.login.openid(openid.name))
        others.append(go)
        if (o.hasLeftProvider)
            others.prepend(
                h("a", { class: "quiet-link", href: here("/openid/sign-out") }, t.login.signOut(openid.name)),
            )
        if (passwords === "everybody") others.append(h("p", { class: "login-or" }, t.login.or))
    }
    if (passwords === "everybody") return
    const emergency = h("details", {}, h("summary", {}, t.login.emergency))
    form.replaceWith(emergency)
    emergency.append(form)
}

/** Leaves the page for the provider's, and comes back to the same view. */
export function providerLink(text: string): HTMLElement {
    const link = h("a", { class: "button", href: here("/openid/start") }, text)
    link.addEventListener("click", leaveView)
    return link
}

function passwordForm({ loggedIn }: LoginOptions): HTMLElement {
    const user = h("input", { id: "user", autocomplete: "username", required: "" })
    const password = h("input", {
        ...{ id: "password", type: "password", autocomplete: "current-password", required: "" },
    })
    const code = codeInput()
    const factor = h("div", { class: "login-code", hidden: "" }, h("label", { for: "code" }, t.login.code), code)
    const { form, submit } = formOf(t.login.logIn, [
        h("label", { for: "user" }, t.login.user),
        user,
        h("label", { for: "password" }, t.login.password),
        password,
        factor,
    ])
    submit(async () => {
        try {
            loggedIn(await login(user.value, password.value, code.value || undefined))
        } catch (error) {
            if (error instanceof Refused && error.problem?.code === "needs-code") {
                factor.hidden = false
                code.focus()
                return
            }
            password.select()
            throw error
        }
    })
    queueMicrotask(() => user.focus())
    return form
}

function codeForm({ loggedIn }: LoginOptions): HTMLElement {
    const code = codeInput()
    code.required = true
    const { form, submit } = formOf(t.login.confirm, [h("label", { for: "code" }, t.login.code), code])
    submit(async () => {
        await confirmSignIn(code.value)
        loggedIn(await me())
    })
    queueMicrotask(() => code.focus())
    return form
}

function codeInput(): HTMLInputElement {
    return h("input", { id: "code", autocomplete: "one-time-code", maxlength: "40" })
}

/** A form that says below what is wrong. */
function formOf(text: string, fields: HTMLElement[]): { form: HTMLElement; submit(work: () => Promise<void>): void } {
    const button = h("button", {}, text)
    const problem = h("p", { class: "problem", role: "alert" })
    const form = h("form", { class: "login-form" }, ...fields, button, problem)
    const run = async (work: () => Promise<void>) => {
        button.disabled = true
        setText(problem, "")
        await work().catch((error: Error) => setText(problem, sentence(error.message)))
        button.disabled = false
    }
    const submit = (work: () => Promise<void>) =>
        form.addEventListener("submit", event => {
            event.preventDefault()
            void run(work)
        })
    return { form, submit }
}

/** A message of the clinic, as a sentence. */
export function sentence(text: string): string {
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
