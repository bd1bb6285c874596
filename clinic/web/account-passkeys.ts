import { optionalPassword, passwordOf } from "./account-password.ts"
import { AdminForm, rowButton } from "./admin-form.ts"
import {
    ownPasskeys,
    removePasskey,
    renamePasskey,
    setPasskeyFactor,
    signInWays,
    type OwnPasskey,
    type Session,
} from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field } from "./fields.ts"
import { dateTime } from "./format.ts"
import { makePasskey, passkeyObstacle } from "./passkeys.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** One's own passkeys: add, call, remove; whether one is asked for beside the password. */
export class PasskeysSection {
    readonly element = h("section", { class: "panel" })
    private readonly user: Session
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rows = h("tbody")
    private readonly list = h("div", { hidden: "" }, table(columns(), this.rows))
    private readonly place = h("div")
    private readonly factor = h("div")

    constructor(user: Session) {
        this.user = user
        this.element.append(
            h("h2", {}, t.passkeys.heading),
            h("p", { class: "config-hint" }, t.passkeys.hint),
            ...[this.list, this.state, this.place, this.factor],
        )
        void this.begin()
    }

    private async begin(): Promise<void> {
        await this.load()
        const obstacle = await signInWays().then(passkeyObstacle, (error: Error) => error.message)
        this.place.replaceChildren(obstacle === "" ? this.adding() : h("p", { class: "config-hint" }, obstacle))
    }

    private async load(): Promise<void> {
        try {
            const all = await ownPasskeys()
            this.list.hidden = all.length === 0
            this.rows.replaceChildren(...all.map(passkey => this.row(passkey)))
            this.factor.replaceChildren(...(all.length > 0 && this.user.hasPassword ? [this.switching()] : []))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private adding(): HTMLElement {
        const name = new Field(t.passkeys.name, h("input", { required: "", maxlength: "100" }))
        const password = optionalPassword(this.user)
        const form = new AdminForm(
            { name, ...password },
            {
                button: t.passkeys.add,
                send: async () => {
                    await makePasskey(name.control.value.trim(), passwordOf(password))
                    for (const { control } of [name, ...Object.values(password)]) control.value = ""
                    await this.load()
                    return t.passkeys.added
                },
                places: { "bad-credentials": "password" },
            },
        )
        return form.element
    }

    /** Whether the password alone is enough. */
    private switching(): HTMLElement {
        const password = optionalPassword(this.user)
        const { passkeyFactor } = this.user
        const form = new AdminForm(password, {
            button: passkeyFactor ? t.passkeys.factorOff : t.passkeys.factorOn,
            send: async () => {
                await setPasskeyFactor(!passkeyFactor, passwordOf(password))
                this.user.passkeyFactor = !passkeyFactor
                await this.load()
                return ""
            },
            places: { "bad-credentials": "password" },
        })
        return h("div", {}, h("p", {}, passkeyFactor ? t.passkeys.factorIsOn : t.passkeys.factorIsOff), form.element)
    }

    private row({ id, name, createdAt, usedAt }: OwnPasskey): HTMLElement {
        const actions = h(
            "span",
            { class: "admin-actions" },
            rowButton(t.passkeys.rename, name, () => this.rename(id, name)),
            rowButton(t.admin.remove, name, () => this.remove(id, name)),
        )
        return row(columns(), [
            name,
            dateTime(createdAt),
            usedAt === null ? t.passkeys.never : dateTime(usedAt),
            actions,
        ])
    }

    private async rename(id: number, name: string): Promise<void> {
        const other = prompt(t.passkeys.name, name)?.trim()
        if (other) await this.changed(() => renamePasskey(id, other))
    }

    private async remove(id: number, name: string): Promise<void> {
        if (confirm(t.passkeys.removeSure(name))) await this.changed(() => removePasskey(id))
    }

    private async changed(work: () => Promise<void>): Promise<void> {
        setText(this.state, "")
        await work().catch((error: Error) => setText(this.state, t.admin.failed(error.message)))
        await this.load()
    }
}

const columns = () => Object.values(t.passkeys.column)
