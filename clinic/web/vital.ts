import { quantities, units, type UnitName, type VitalName } from "../../wire/tables/quantities.ts"
import type { Observation } from "./api.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { about, ago, number, signal } from "./format.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"

/** How a vital sign is shown. */
export interface VitalKind {
    name: VitalName
    unit: UnitName
    digits: number
    hasQuality: boolean
    isUncalibrated: boolean
}

export const heartRate = shown("hr")
export const saturation = shown("spo2")
export const temperature = shown("temp")

/** In the order in which they are shown. */
export const vitalKinds = [heartRate, saturation, temperature]

function shown(name: VitalName): VitalKind {
    const { unit, digits } = quantities[name]
    return { name, unit, digits, hasQuality: name === "hr", isUncalibrated: "isUncalibrated" in quantities[name] }
}

/** One vital sign in large numerals, with how old it is or why there is none. */
export class VitalView {
    readonly element: HTMLElement
    private readonly kind: VitalKind
    private readonly value = h("span", { class: "value" })
    private readonly spokenUnit = spoken("")
    private readonly note = h("span", { class: "note" })
    private readonly bars = h("span", { class: "bars", "aria-hidden": "true" })
    private readonly quality = h("span")
    private readonly signal = h("span", { class: "signal" }, this.bars, this.quality)

    constructor(kind: VitalKind) {
        this.kind = kind
        this.bars.append(...[1, 2, 3, 4].map(() => h("i")))
        // The unit stands with the label: behind the number it would jump with every digit.
        const unit = h("span", { class: "unit", "aria-hidden": "true" }, units[kind.unit].text)
        this.element = h(
            "div",
            { class: "vital", "data-vital": kind.name },
            h("span", { class: "label" }, t.vital.label(kind.name), " ", unit, spoken(": ")),
            h("span", {}, this.value, this.spokenUnit),
            this.note,
        )
        if (kind.hasQuality) this.element.append(this.signal)
        if (kind.isUncalibrated) this.element.append(h("span", { class: "uncalibrated" }, t.vital.uncalibrated))
    }

    update(observation: Observation | undefined, now: number, silentMs: number): void {
        const { state, note } = describe(observation, now, silentMs)
        setData(this.element, "state", state)
        setText(this.note, note)
        const value = observation?.value ?? null
        setText(this.value, value === null ? "–" : number(value, this.kind.digits))
        setText(this.spokenUnit, ` ${value === null ? t.vital.noValue : t.vital.spokenUnit(this.kind.unit)}, `)
        if (!this.kind.hasQuality) return
        const quality = state === "stale" || state === "ahead" ? null : (observation?.quality ?? null)
        setData(this.signal, "known", String(quality !== null))
        const { level, word } = signal(quality ?? 0)
        setData(this.bars, "level", level)
        setText(this.quality, t.vital.signal(word))
    }
}

/** For screen readers only. */
function spoken(text: string): HTMLElement {
    return h("span", { class: "spoken" }, text)
}

/** `fresh`, `stale`, `ahead` or `none`, and the line under the number. */
export function describe(o: Observation | undefined, now: number, silentMs: number): { state: string; note: string } {
    if (!o) return { state: "none", note: t.vital.noValueYet }
    const age = about(o.relative, ago(o.time, now))
    if (isAhead(o.time, now)) return { state: "ahead", note: t.vital.wrongTime(age) }
    if (now - o.time > silentMs) return { state: "stale", note: t.vital.old(age) }
    if (o.absent === "motion") return { state: "none", note: t.vital.moving }
    if (o.absent === "quality") return { state: "none", note: t.vital.weakSignal }
    if (o.value === null) return { state: "none", note: t.vital.noValue }
    return { state: "fresh", note: age }
}
