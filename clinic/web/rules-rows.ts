import { h } from "../../browser/dom.ts"
import type { WardSettings } from "./api.ts"
import { Field, numberInput, selectOf } from "./fields.ts"
import { t } from "./texts/language.ts"

type Shift = WardSettings["shifts"][number]
type Step = WardSettings["escalation"][number]

const longestS = 3600

function removeButton(label: string, remove: () => void): HTMLElement {
    const button = h("button", { type: "button", class: "quiet", "aria-label": label }, "✕")
    button.addEventListener("click", remove)
    return button
}

/** A shift of a ward: its name, and from when to when by the ward's clock. */
export class ShiftRow {
    readonly element: HTMLElement
    readonly name: Field<HTMLInputElement>
    readonly to: Field<HTMLInputElement>
    private readonly from: Field<HTMLInputElement>

    constructor({ name, from, to }: Shift, removed: () => void) {
        const time = (value: string) => h("input", { type: "time", required: "", value })
        this.name = new Field(t.rules.shiftName, h("input", { required: "", maxlength: "100", value: name }))
        this.from = new Field(t.rules.from, time(from))
        this.to = new Field(t.rules.to, time(to))
        const remove = removeButton(t.rules.removeShift(name), removed)
        this.element = h("li", { class: "rules-row" }, ...this.fields.map(({ element }) => element), remove)
    }

    get fields(): Field[] {
        return [this.name, this.from, this.to]
    }

    get shift(): Shift {
        const [name, from, to] = [this.name, this.from, this.to].map(({ control }) => control.value)
        return { name: name!.trim(), from: from!, to: to! }
    }
}

/** A step of an escalation: after how long whom, and in which shifts. */
export class StepRow {
    readonly element: HTMLElement
    readonly tell: Field<HTMLSelectElement>
    private readonly after: Field<HTMLInputElement>
    private readonly shifts = h("fieldset", { class: "rules-shifts" })
    private chosen: ReadonlySet<string>
    private offered: string | undefined

    constructor({ afterSeconds, tell, shifts = [] }: Step, receivers: readonly string[], removed: () => void) {
        this.chosen = new Set(shifts)
        this.after = new Field(t.rules.after, numberInput(0, longestS, afterSeconds))
        this.after.control.step = "1"
        // Somebody who was taken off the list since stays in sight, so that it can be put right.
        const listed = receivers.includes(tell) || tell === "" ? receivers : [...receivers, tell]
        this.tell = new Field(
            t.rules.tell,
            selectOf(["", ...listed], name => receiverText(name, receivers), tell),
        )
        this.tell.control.required = true
        this.shifts.append(h("legend", {}, t.rules.inShifts))
        const remove = removeButton(t.rules.removeStep, removed)
        this.element = h("li", { class: "rules-row" }, ...[this.after.element, this.tell.element, this.shifts, remove])
    }

    /** The shifts that there are now; what was chosen stays so by its place in `before`. */
    offer(names: readonly string[], before: readonly string[]): void {
        const offered = names.join("\n")
        if (offered === this.offered) return
        this.offered = offered
        const chosen = [...this.chosen].map(name =>
            before.includes(name) ? (names[before.indexOf(name)] ?? "") : name,
        )
        this.chosen = new Set(chosen.filter(name => names.includes(name)))
        const boxes = names.map(name => {
            const box = h("input", { type: "checkbox", value: name })
            box.checked = this.chosen.has(name)
            box.addEventListener("change", () => {
                const checked = [...this.shifts.querySelectorAll<HTMLInputElement>("input:checked")]
                this.chosen = new Set(checked.map(({ value }) => value))
            })
            return h("label", {}, box, name || t.rules.unnamed)
        })
        this.shifts.replaceChildren(h("legend", {}, t.rules.inShifts), ...boxes)
        this.shifts.hidden = names.length === 0
    }

    get fields(): Field[] {
        return [this.after, this.tell]
    }

    get step(): Step {
        const [after, tell] = [Number(this.after.control.value), this.tell.control.value]
        return { afterSeconds: after, tell, ...(this.chosen.size > 0 && { shifts: [...this.chosen] }) }
    }
}

function receiverText(name: string, receivers: readonly string[]): string {
    if (name === "") return t.rules.choose
    return receivers.includes(name) ? t.alarms.receiver(name) : t.rules.gone(name)
}
