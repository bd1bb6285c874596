import { AdminForm } from "./admin-form.ts"
import { setWards, type User } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { t } from "./texts/language.ts"

/** Which wards an account of a role has: one, all or some, or (of a router) some or none for all. */
export type WardChoice = "one" | "choice" | "served"

/** Two fields for the wards of an account: all of them or these, and which. */
export class WardFields {
    readonly reach = new Field(
        t.admin.reach,
        selectOf(
            ["", "some", "all"],
            value => ({ some: t.admin.someWards, all: t.admin.allWards })[value] ?? t.rules.choose,
        ),
    )
    readonly wards = new Field(t.admin.wardOf, h("input", { autocomplete: "off", maxlength: "500" }))
    private which: WardChoice | undefined

    constructor() {
        this.reach.control.addEventListener("change", () => this.follow(this.which))
    }

    /** Shows what accounts of that kind have; nothing where they have none. */
    follow(which: WardChoice | undefined): void {
        this.which = which
        this.reach.element.hidden = which !== "choice"
        this.reach.control.required = which === "choice"
        this.wards.element.hidden = which === undefined || (which === "choice" && this.reach.control.value !== "some")
        this.wards.control.required = !this.wards.element.hidden && which !== "served"
    }

    /** Undefined where there are none to give. */
    get value(): "all" | string[] | undefined {
        if (this.which === "choice" && this.reach.control.value === "all") return "all"
        const named = this.wards.control.value.split(",").map(ward => ward.trim())
        const given = named.filter(ward => ward !== "")
        return this.which !== undefined && (given.length > 0 || this.which === "choice") ? given : undefined
    }

    set value(wards: "all" | readonly string[] | undefined) {
        this.reach.control.value = wards === "all" ? "all" : wards ? "some" : ""
        this.wards.control.value = wards && wards !== "all" ? wards.join(", ") : ""
        this.follow(this.which)
    }
}

/** Other wards for one user. */
export class WardsPanel {
    readonly element = h("section", { class: "panel", tabindex: "-1" })

    constructor({ user, wards }: User, which: WardChoice, saved: () => Promise<void>) {
        const fields = new WardFields()
        fields.follow(which)
        fields.value = wards ?? undefined
        const form = new AdminForm(
            { reach: fields.reach, wards: fields.wards },
            {
                button: t.admin.save,
                places: { "needs-ward": "wards", "needs-wards": "reach" },
                send: async () => {
                    await setWards(user, fields.value ?? [])
                    await saved()
                    return t.admin.wardsSet(user)
                },
            },
        )
        this.element.append(h("h2", {}, t.admin.wardsOf(user)), form.element)
    }
}
