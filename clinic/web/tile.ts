import { alarmText } from "./alarm-text.ts"
import type { WardPatient } from "./api.ts"
import { contactOf } from "./card.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { number } from "./format.ts"
import type { WardModel } from "./model.ts"
import { t } from "./texts/language.ts"
import { urgency } from "./urgency.ts"
import { describe, vitalKinds, type VitalKind } from "./vital.ts"
import { units } from "../../wire/tables/quantities.ts"

/** One patient on the wall: three numerals, who it is, and what is wrong. */
export class Tile {
    readonly element = h("li", { class: "tile-place" })
    private readonly tile: HTMLElement
    private readonly bed = h("b", { class: "tile-bed" })
    private readonly name = h("span", { class: "tile-name" })
    private readonly note = h("span", { class: "tile-note" })
    private readonly vitals = vitalKinds.map(kind => new Numeral(kind))

    constructor(isLink: boolean) {
        this.tile = isLink ? h("a", { class: "tile" }) : h("div", { class: "tile" })
        this.tile.append(
            h("span", { class: "tile-head" }, this.bed, this.name),
            ...this.vitals.map(({ element }) => element),
            this.note,
        )
        this.element.append(this.tile)
    }

    update(patient: WardPatient, model: WardModel, now: number): void {
        if (this.tile instanceof HTMLAnchorElement) this.tile.hash = `#/patients/${patient.id}`
        setText(this.bed, patient.bed ?? "")
        setText(this.name, t.ward.name(patient.family, patient.given))
        const [worst] = model.alarms(patient.id)
        const { state, text } = contactOf(model.newestTime(patient.id, now), now, patient.silentMs)
        setData(this.tile, "alarm", worst ? urgency(worst) : "none")
        setData(this.tile, "contact", state)
        setText(this.note, state === "silent" ? text : worst ? alarmText(worst) : "")
        for (const numeral of this.vitals) numeral.update(patient, model, now)
    }
}

class Numeral {
    readonly element: HTMLElement
    private readonly kind: VitalKind
    private readonly value = h("span", { class: "numeral" })

    constructor(kind: VitalKind) {
        this.kind = kind
        const label = h("span", { class: "tile-label" }, t.vital.label(kind.name), " ", units[kind.unit].text)
        this.element = h("span", { class: "tile-vital", "data-vital": kind.name }, label, this.value)
    }

    update({ id, silentMs }: WardPatient, model: WardModel, now: number): void {
        const newest = model.newest(id, this.kind.name)
        const { state } = describe(newest, now, silentMs)
        setData(this.element, "state", state)
        // From three metres nobody sees that a number is grey: one that is not of now is not there.
        const value = state === "fresh" ? (newest?.value ?? null) : null
        setText(this.value, value === null ? "–" : number(value, this.kind.digits))
    }
}
