import { leaveView } from "./arrival.ts"
import {
    confirmSignIn,
    here,
    login,
    me,
    Refused,
    signInWays,
    type Factor,
    type Session,
    type SignInWays,
} from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { passkeyAnswer, passkeyObstacle, signInWithPasskey } from "./passkeys.ts"
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
    ways: SignInWays,
    { others, form, o }: { others: HTMLElement; form: HTMLElement; o: LoginOptions },
): void {
    const { openid, passwords } = ways
    if (openid) {
        const go = providerLink(t.login.openid(openid.name))
        others.append(go)
        if (o.hasLeftProvider)
            others.prepend(
                h("a", { class: "quiet-link", href: here("/openid/sign-out") }, t.login.signOut(openid.name)),
            )
    }
    if (passkeyObstacle(ways) === "") others.append(passkeyButton(o))
    if (others.childElementCount > 0 && passwords === "everybody")
        others.append(h("p", { class: "login-or" }, t.login.or))
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

function passkeyButton({ loggedIn }: LoginOptions): HTMLElement {
    const button = h("button", { type: "button" }, t.passkeys.signIn)
    const problem = h("p", { class: "problem", role: "alert" })
    const run = async () => {
        setText(problem, "")
        await signInWithPasskey()
            .then(loggedIn)
            .catch((error: Error) => setText(problem, sentence(error.message)))
    }
    button.addEventListener("click", () => void run())
    return h("div", { class: "login-form" }, button, problem)
}

/** In place of a code; `send` sends it. */
function insteadButton(send: (factor: Factor) => void, failed: (error: Error) => void): HTMLButtonElement {
    const button = h("button", { type: "button", class: "quiet" }, t.passkeys.instead)
    button.addEventListener("click", () => void passkeyAnswer().then(passkey => send({ passkey }), failed))
    return button
}

function passwordForm({ loggedIn }: LoginOptions): HTMLElement {
    const user = h("input", { id: "user", autocomplete: "username", required: "" })
    const password = h("input", {
        ...{ id: "password", type: "password", autocomplete: "current-password", required: "" },
    })
    const code = codeInput()
    const instead = insteadButton(
        factor => send(factor),
        error => say(error),
    )
    const label = h("label", { for: "code" }, t.login.code)
    const factor = h("div", { class: "login-code", hidden: "" }, label, code, instead)
    const { form, run, say } = formOf(t.login.logIn, () => attempt(code.value === "" ? {} : { code: code.value }), [
        h("label", { for: "user" }, t.login.user),
        user,
        h("label", { for: "password" }, t.login.password),
        password,
        factor,
    ])
    const send = (factor: Factor) => void run(() => attempt(factor))
    const attempt = async (shown: Factor) => {
        try {
            loggedIn(await login(user.value, password.value, shown))
        } catch (error) {
            if (error instanceof Refused && error.problem?.code === "needs-code") {
                factor.hidden = false
                instead.hidden = error.problem.passkey !== true
                code.focus()
                return
            }
            password.select()
            throw error
        }
    }
    queueMicrotask(() => user.focus())
    return form
}

function codeForm({ loggedIn }: LoginOptions): HTMLElement {
    const code = codeInput()
    code.required = true
    const attempt = async (factor: Factor) => {
        await confirmSignIn(factor)
        loggedIn(await me())
    }
    const label = h("label", { for: "code" }, t.login.code)
    const { form, run, say } = formOf(t.login.confirm, () => attempt({ code: code.value }), [label, code])
    void signInWays().then(ways => {
        if (passkeyObstacle(ways) === "") form.append(insteadButton(factor => void run(() => attempt(factor)), say))
    }, say)
    queueMicrotask(() => code.focus())
    return form
}

function codeInput(): HTMLInputElement {
    return h("input", { id: "code", autocomplete: "one-time-code", maxlength: "40" })
}

/** A form that says below what is wrong. */
function formOf(
    text: string,
    submit: () => Promise<void>,
    fields: HTMLElement[],
): { form: HTMLElement; run(work: () => Promise<void>): Promise<void>; say(error: Error): void } {
    const button = h("button", {}, text)
    const problem = h("p", { class: "problem", role: "alert" })
    const form = h("form", { class: "login-form" }, ...fields, button, problem)
    const say = (error: Error) => setText(problem, sentence(error.message))
    const run = async (work: () => Promise<void>) => {
        button.disabled = true
        setText(problem, "")
        await work().catch(say)
        button.disabled = false
    }
    form.addEventListener("submit", event => {
        event.preventDefault()
        void run(submit)
    })
    return { form, run, say }
}

/** A message of the clinic, as a sentence. */
export function sentence(text: string): string {
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
