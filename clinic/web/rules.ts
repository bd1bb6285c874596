import "./rules.css"
import { Refused, setWardRules, wardRules, type Session, type WardRules } from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime, setting } from "./format.ts"
import type { WardModel } from "./model.ts"
import { RulesForm } from "./rules-form.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** What each ward has decided about its alarms. */
export class RulesView implements View {
    readonly element = h("main", { class: "rules" })
    readonly title = t.rules.heading
    private readonly mayChange: boolean
    private readonly ward: string | undefined
    private readonly place = h("div")
    private readonly state = h("p", { class: "rules-state", role: "status" })

    /** @param ward undefined: the first there is */
    constructor(model: WardModel, user: Session, ward: string | undefined) {
        this.mayChange = user.permissions.includes("set-rules")
        const wards = model.wards()
        this.ward = ward ?? wards[0]
        const listed = this.ward === undefined || wards.includes(this.ward) ? wards : [...wards, this.ward]
        const choice = h("nav", { class: "rules-wards", "aria-label": t.ward.whichWard })
        for (const name of listed) {
            const link = h("a", { href: `#/rules/${encodeURIComponent(name)}` }, name)
            link.toggleAttribute("aria-current", name === this.ward)
            choice.append(link)
        }
        this.element.append(h("h1", { tabindex: "-1" }, t.rules.heading), choice, this.state, this.place)
        if (this.ward === undefined) setText(this.state, t.rules.noWards)
        else void this.load(this.ward)
    }

    update(): void {}
    add(): void {}
    /** What somebody is typing stays. */
    reload(): void {}
    close(): void {}

    private async load(ward: string, said = ""): Promise<void> {
        try {
            this.show(await wardRules(ward), said)
        } catch (error) {
            setText(this.state, t.rules.notLoaded((error as Error).message))
        }
    }

    private show(rules: WardRules, said: string): void {
        const { version, author, madeAt, ward } = rules
        const made =
            author === null || madeAt === null ? t.rules.none : t.rules.made(setting(version), author, dateTime(madeAt))
        setText(this.state, [said, made, this.mayChange ? "" : t.rules.readOnly].filter(Boolean).join(" "))
        const form = new RulesForm(rules, {
            mayChange: this.mayChange,
            save: async settings => {
                try {
                    this.show(await setWardRules(ward, settings, version), t.rules.saved)
                    scrollTo(0, 0)
                } catch (error) {
                    if (!(error instanceof Refused) || error.problem?.code !== "newer-configuration") throw error
                    await this.load(ward, t.rules.newer)
                    scrollTo(0, 0)
                }
            },
        })
        this.place.replaceChildren(form.element)
    }
}
