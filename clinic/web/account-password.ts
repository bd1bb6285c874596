import { AdminForm } from "./admin-form.ts"
import { changePassword, type Session } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { Field } from "./fields.ts"
import { t } from "./texts/language.ts"

/** Changes one's own password; the other sessions end. */
export class PasswordSection {
    readonly element: HTMLElement
    private readonly fields = {
        password: passwordField(t.account.password, "current-password"),
        newPassword: passwordField(t.login.newPassword, "new-password"),
        again: passwordField(t.login.again, "new-password"),
    }

    constructor() {
        const { newPassword } = this.fields
        newPassword.control.minLength = 12
        const form = new AdminForm(this.fields, {
            button: t.account.change,
            send: () => this.send(),
            places: { "bad-credentials": "password" },
        })
        this.element = h(
            "section",
            { class: "panel" },
            h("h2", {}, t.account.passwordHeading),
            h("p", { class: "config-hint" }, t.account.passwordHint),
            form.element,
        )
    }

    private async send(): Promise<string> {
        const { password, newPassword, again } = this.fields
        if (newPassword.control.value !== again.control.value) throw new Error(t.login.notTheSame)
        await changePassword(password.control.value, newPassword.control.value)
        for (const { control } of Object.values(this.fields)) control.value = ""
        return t.account.changed
    }
}

/** None where the user has no password: then the sign-in has to be a new one. */
export function optionalPassword({ hasPassword }: Session): Record<string, Field<HTMLInputElement>> {
    return hasPassword ? { password: passwordField(t.account.password, "current-password") } : {}
}

export function passwordOf(fields: Readonly<Record<string, Field<HTMLInputElement>>>): string | undefined {
    return fields["password"]?.control.value
}

/** Whoever sits at a page that somebody left open does not know it. */
function passwordField(label: string, autocomplete: string): Field<HTMLInputElement> {
    return new Field(label, h("input", { type: "password", required: "", maxlength: "200", autocomplete }))
}
