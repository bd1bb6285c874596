import { endOpening, openings, type Opening } from "./api.ts"
import { h } from "../../browser/dom.ts"
import { timeOfDay } from "./format.ts"
import type { WardModel } from "./model.ts"
import { t } from "./texts/language.ts"

/** Says on every page whom of another ward one has opened, as long as it lasts, and ends it. */
export class OpenedBar {
    readonly element = h("div", { class: "opened-bar", role: "status" })
    private readonly model: WardModel
    private open: readonly Opening[] = []
    private shown = ""

    constructor(model: WardModel) {
        this.model = model
    }

    /** Of what there is to end. */
    async load(): Promise<void> {
        // What was opened shows on until the clinic answers.
        this.open = await openings().catch(() => this.open)
        this.update()
    }

    update(now?: number): void {
        if (now !== undefined) this.open = this.open.filter(({ endsAt }) => endsAt > now)
        const lines = this.open.map(({ id, patient, endsAt }) => {
            const name = this.model.name(patient) || t.breakGlass.number(String(patient))
            return { id, patient, name, text: t.breakGlass.isOpen(name, timeOfDay(endsAt, false)) }
        })
        const shown = JSON.stringify(lines)
        if (shown === this.shown) return
        this.shown = shown
        this.element.replaceChildren(
            ...lines.map(({ id, patient, name, text }) => {
                const label = (what: string) => `${what}: ${name}`
                const end = h("button", { type: "button", "aria-label": label(t.breakGlass.end) }, t.breakGlass.end)
                end.addEventListener("click", () => {
                    end.disabled = true
                    void endOpening(id)
                        .catch(() => {})
                        .then(() => this.load())
                })
                const link = { href: `#/patients/${patient}`, "aria-label": label(t.breakGlass.show) }
                return h("p", {}, h("span", {}, text), h("a", link, t.breakGlass.show), end)
            }),
        )
    }
}
