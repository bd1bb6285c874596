import { encode } from "uqr"
import { optionalPassword, passwordOf } from "./account-password.ts"
import { AdminForm } from "./admin-form.ts"
import { beginSecondFactor, confirmSecondFactor, removeSecondFactor, type Session } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { Field } from "./fields.ts"
import { t } from "./texts/language.ts"

const svg = "http://www.w3.org/2000/svg"
const quietModules = 4

/** Switches the second factor on, in two steps, and off. */
export class SecondFactorSection {
    readonly element = h("section", { class: "panel" })
    private readonly user: Session
    private readonly place = h("div")

    constructor(user: Session) {
        this.user = user
        this.element.append(
            h("h2", {}, t.account.factorHeading),
            h("p", { class: "config-hint" }, t.account.factorHint),
            this.place,
        )
        this.start("")
    }

    /** @param said what was done before */
    private start(said: string): void {
        const password = optionalPassword(this.user)
        const { secondFactor } = this.user
        const form = new AdminForm(password, {
            button: secondFactor ? t.account.factorOff : t.account.factorOn,
            send: () => (secondFactor ? this.remove(passwordOf(password)) : this.begin(passwordOf(password))),
            places: { "bad-credentials": "password" },
        })
        const now = secondFactor ? t.account.factorIsOn : t.account.factorIsOff
        form.state.textContent = said
        this.place.replaceChildren(h("p", {}, now), form.element)
    }

    private async begin(password: string | undefined): Promise<string> {
        const { secret, uri } = await beginSecondFactor(password)
        const code = new Field(
            t.account.factorCode,
            h("input", { required: "", maxlength: "40", autocomplete: "one-time-code", inputmode: "numeric" }),
        )
        const form = new AdminForm(
            { code },
            {
                button: t.account.factorConfirm,
                send: () => this.confirm(code.control.value),
                places: { "bad-code": "code" },
            },
        )
        this.place.replaceChildren(
            h("p", {}, t.account.factorScan),
            qrCode(uri),
            h("p", {}, t.account.factorSecret, " ", h("code", { class: "secret" }, secret)),
            form.element,
        )
        code.control.focus()
        return ""
    }

    private async confirm(code: string): Promise<string> {
        const { recoveryCodes } = await confirmSecondFactor(code.trim())
        this.user.secondFactor = true
        const done = h("button", { type: "button" }, t.account.kept)
        done.addEventListener("click", () => this.start(""))
        this.place.replaceChildren(
            h("p", { role: "status" }, t.account.recovery),
            h("ul", { class: "recovery-codes" }, ...recoveryCodes.map(each => h("li", {}, h("code", {}, each)))),
            done,
        )
        done.focus()
        return ""
    }

    private async remove(password: string | undefined): Promise<string> {
        await removeSecondFactor(password)
        this.user.secondFactor = false
        this.start(t.account.factorRemoved)
        return ""
    }
}

/** Black on white in any theme, with the quiet zone that scanners need (ISO/IEC 18004 §5.3.8). */
function qrCode(text: string): SVGElement {
    const { data, size } = encode(text, { border: quietModules })
    const image = document.createElementNS(svg, "svg")
    image.setAttribute("viewBox", `0 0 ${size} ${size}`)
    image.setAttribute("class", "qr-code")
    image.setAttribute("role", "img")
    image.setAttribute("aria-label", t.account.factorImage)
    const path = document.createElementNS(svg, "path")
    const dark = data.flatMap((line, y) => line.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    path.setAttribute("d", dark.join(""))
    image.append(path)
    return image
}
