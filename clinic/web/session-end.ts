import { h, setText } from "../../browser/dom.ts"
import { login, type Session } from "./api.ts"
import { now } from "./clock.ts"
import { providerLink } from "./login.ts"
import { signInWithPasskey } from "./passkeys.ts"
import { duration, timeOfDay } from "./format.ts"
import { t } from "./texts/language.ts"

/** So long before the end somebody is told. */
const warnMs = 15 * 60_000

/** Says that a session will end, and lets its user stay without losing the page. */
export class SessionEnd {
    readonly element = h("form", { class: "session-end", role: "status" })
    private readonly text = h("span")
    private readonly password = h("input", { type: "password", autocomplete: "current-password" })
    private readonly problem = h("span", { class: "problem", role: "alert" })
    private readonly user: string
    private readonly isByPasskey: boolean
    private readonly stayed: () => void
    /** By the clock of this computer; undefined where the session never ends. */
    endsAt: number | undefined

    /**
     * @param endsAt where it is known already
     * @param stayed is called when there is a new session
     */
    constructor(session: Session, endsAt: number | undefined, stayed: () => void) {
        this.user = session.user
        this.stayed = stayed
        if (endsAt === undefined) this.take(session)
        else this.endsAt = endsAt
        this.password.setAttribute("aria-label", t.session.again(this.user))
        this.password.placeholder = t.session.again(this.user)
        this.element.hidden = true
        this.isByPasskey = session.way === "passkey"
        this.element.append(this.text, ...this.ways(session), this.problem)
        this.element.addEventListener("submit", event => {
            event.preventDefault()
            void this.stay()
        })
    }

    /** The one by which the session began. */
    private ways({ way }: Session): HTMLElement[] {
        if (way === "openid") return [providerLink(t.session.signInAgain)]
        if (this.isByPasskey) return [h("button", {}, t.passkeys.signIn)]
        return [this.password, h("button", {}, t.session.stay)]
    }

    update(): void {
        const left = this.endsAt === undefined ? Infinity : this.endsAt - Date.now()
        const isSoon = left < warnMs
        if (this.element.hidden === isSoon) this.element.hidden = !isSoon
        if (isSoon) setText(this.text, t.session.ends(timeOfDay(now() + left, false), duration(left)))
    }

    private take({ endsInMs }: Session): void {
        this.endsAt = endsInMs === null ? undefined : Date.now() + endsInMs
    }

    private async stay(): Promise<void> {
        try {
            this.take(await (this.isByPasskey ? signInWithPasskey() : login(this.user, this.password.value)))
            this.password.value = ""
            setText(this.problem, "")
            this.update()
            this.stayed()
        } catch (error) {
            setText(this.problem, (error as Error).message)
        }
    }
}
