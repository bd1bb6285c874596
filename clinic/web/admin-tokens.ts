import { AdminForm, rowButton } from "./admin-form.ts"
import { addToken, revokeToken, tokensOf, type Token } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, numberInput } from "./fields.ts"
import { dateTime } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const maxDays = 3650

/** The tokens of one user: what each is for, when it ends, and an end to it. */
export class TokensPanel {
    readonly element = h("section", { class: "panel", tabindex: "-1" })
    private readonly user: string
    private readonly rows = h("tbody")
    private readonly made = h("p", { class: "admin-token", role: "status" })
    private readonly fields = {
        name: new Field(t.tokens.name, h("input", { maxlength: "100", autocomplete: "off" })),
        days: new Field(t.tokens.days, numberInput(1, maxDays, "", false)),
        wards: new Field(t.tokens.wards, h("input", { maxlength: "500", autocomplete: "off" })),
        actions: new Field(t.tokens.actions, h("input", { maxlength: "500", autocomplete: "off" })),
    }
    private readonly form: AdminForm

    constructor(user: string) {
        this.user = user
        this.form = new AdminForm(this.fields, {
            button: t.admin.newToken,
            send: () => this.send(),
            places: { "more-than-own": "actions", "has-no-wards": "wards" },
        })
        this.element.append(
            h("h2", {}, t.tokens.heading(user)),
            ...[this.form.element, this.made, table(columns(), this.rows)],
        )
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            this.rows.replaceChildren(...(await tokensOf(this.user)).map(token => this.row(token)))
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
    }

    private row({ id, name, actions, wards, createdAt, expiresAt, usedAt }: Token): HTMLElement {
        return row(columns(), [
            name || t.tokens.nameless(id),
            [actions?.join(", ") ?? t.tokens.all, ...(wards ? [wards.join(", ")] : [])].join("; "),
            dateTime(createdAt),
            expiresAt === null ? t.tokens.never : dateTime(expiresAt),
            usedAt === null ? t.tokens.never : dateTime(usedAt),
            rowButton(t.tokens.revoke, name || t.tokens.nameless(id), () => this.revoke(id)),
        ])
    }

    private async send(): Promise<string> {
        const { name, days, actions, wards } = this.fields
        const named = wards.control.value.split(",").map(ward => ward.trim())
        const limit = named.filter(ward => ward !== "")
        const rights = actions.control.value.split(/[\s,]+/).filter(Boolean)
        const { token } = await addToken(this.user, {
            ...(name.control.value.trim() !== "" && { name: name.control.value.trim() }),
            ...(days.control.value !== "" && { days: Number(days.control.value) }),
            ...(rights.length > 0 && { actions: rights }),
            ...(limit.length > 0 && { wards: limit }),
        })
        for (const { control } of Object.values(this.fields)) control.value = ""
        this.made.replaceChildren(t.admin.token(this.user), " ", h("code", {}, token))
        await this.load()
        return ""
    }

    private async revoke(id: number): Promise<void> {
        if (!confirm(t.tokens.revokeSure)) return
        try {
            await revokeToken(this.user, id)
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
        await this.load()
    }
}

const columns = () => Object.values(t.tokens.columns)
