import { bedsideKinds, consciousnessLevels, type Consciousness } from "../../wire/tables/bedside.ts"
import { h, setText } from "../../browser/dom.ts"
import type { BedsideEntry, ScorePart } from "./api.ts"
import { ago } from "./format.ts"
import { valueText } from "./news2-value.ts"
import { t } from "./texts/language.ts"

let forms = 0

/**
 * What a nurse observes, to be entered in seconds: two numbers, Enter between them; air or oxygen and consciousness are as they were
 * the last time, or as with somebody who is well. The last entry stands below each field.
 */
export class BedsideForm {
    readonly element = h("form", { class: "news2-form", novalidate: "" })
    private readonly id = `bedside-${forms++}`
    private readonly numbers = { respiration: this.numberInput("respiration"), systolic: this.numberInput("systolic") }
    private readonly gas: Choice<"air" | "oxygen">
    private readonly level: Choice<Consciousness>
    private readonly hints = new Map<string, HTMLElement>()
    private readonly state = h("span", { class: "news2-hint", role: "status" })
    private readonly record = h("button", { type: "submit" }, t.news2.record)
    private readonly send: (entry: BedsideEntry) => Promise<void>
    private last: readonly ScorePart[] = []
    /** What the nurse has touched is not changed by what arrives. */
    private isTouched = false

    constructor(send: (entry: BedsideEntry) => Promise<void>) {
        this.send = send
        this.gas = new Choice(`${this.id}-oxygen`, t.news2.name("oxygen"), bedsideKinds.oxygen.choices, t.news2.gas)
        this.level = new Choice(
            `${this.id}-consciousness`,
            t.news2.name("consciousness"),
            consciousnessLevels,
            t.news2.level,
        )
        this.element.append(
            this.field("respiration", this.numbers.respiration, t.news2.perMinute),
            this.field("systolic", this.numbers.systolic, t.news2.pressure),
            h("div", { class: "news2-field" }, this.gas.element, this.hint("oxygen")),
            h("div", { class: "news2-field" }, this.level.element, this.hint("consciousness")),
            h("div", { class: "news2-field" }, this.record, this.state),
        )
        this.element.addEventListener("input", () => {
            this.isTouched = true
            setText(this.state, "")
        })
        this.element.addEventListener("submit", event => {
            event.preventDefault()
            void this.submit()
        })
    }

    /** What is known; the choices follow it while nobody has begun to enter something. */
    setLast(parts: readonly ScorePart[]): void {
        this.last = parts
        if (this.isTouched) return
        const value = (name: ScorePart["name"]) => parts.find(part => part.name === name)?.value
        this.gas.value = value("oxygen") === "oxygen" ? "oxygen" : "air"
        this.level.value = consciousnessLevels.find(level => level === value("consciousness")) ?? "alert"
    }

    update(now: number): void {
        for (const part of this.last) {
            const hint = this.hints.get(part.name)
            if (hint)
                setText(hint, part.time === null ? t.news2.unknown : t.news2.last(valueText(part), ago(part.time, now)))
        }
    }

    private async submit(): Promise<void> {
        const { respiration, systolic } = this.numbers
        const wrong = [respiration, systolic].find(input => !input.checkValidity())
        if (wrong) {
            wrong.reportValidity()
            return wrong.focus()
        }
        const entry: BedsideEntry = {
            ...(respiration.value !== "" && { respiration: Number(respiration.value) }),
            ...(systolic.value !== "" && { systolic: Number(systolic.value) }),
            ...{ oxygen: this.gas.value, consciousness: this.level.value },
        }
        this.record.disabled = true
        try {
            this.isTouched = false
            await this.send(entry)
            respiration.value = systolic.value = ""
            setText(this.state, t.news2.recorded)
        } catch (error) {
            this.isTouched = true
            setText(this.state, t.news2.notRecorded((error as Error).message))
        } finally {
            this.record.disabled = false
        }
    }

    private field(name: "respiration" | "systolic", input: HTMLInputElement, unit: string): HTMLElement {
        const label = h("label", { for: input.id }, `${t.news2.name(name)}, ${unit}`)
        const hint = this.hint(name)
        hint.id = `${input.id}-hint`
        input.setAttribute("aria-describedby", hint.id)
        return h("div", { class: "news2-field" }, label, input, hint)
    }

    private numberInput(name: "respiration" | "systolic"): HTMLInputElement {
        const { min, max } = bedsideKinds[name]
        return h("input", {
            ...{ type: "number", inputmode: "numeric", step: "1", min: String(min), max: String(max) },
            ...{ id: `${this.id}-${name}`, autocomplete: "off" },
        })
    }

    private hint(name: string): HTMLElement {
        const hint = h("span", { class: "news2-hint" })
        this.hints.set(name, hint)
        return hint
    }
}

/** One of a few, by touch or by the arrow keys. */
class Choice<T extends string> {
    readonly element: HTMLElement
    private readonly inputs = new Map<T, HTMLInputElement>()

    constructor(name: string, legend: string, values: readonly T[], textOf: (value: T) => string) {
        this.element = h("fieldset", { class: "ranges" }, h("legend", {}, legend))
        for (const value of values) {
            const input = h("input", { type: "radio", name, value })
            this.inputs.set(value, input)
            this.element.append(h("label", {}, input, h("span", {}, textOf(value))))
        }
        this.value = values[0]!
    }

    get value(): T {
        return [...this.inputs].find(([, { checked }]) => checked)![0]
    }

    set value(value: T) {
        this.inputs.get(value)!.checked = true
    }
}
