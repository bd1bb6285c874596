import { h, setText } from "../../browser/dom.ts"
import { setting } from "./format.ts"
import { t } from "./texts/language.ts"

type Control = HTMLInputElement | HTMLSelectElement

let fields = 0

/** A control with its label, and a place for what is wrong with it. */
export class Field<C extends Control = Control> {
    readonly element: HTMLElement
    readonly control: C
    private readonly error = h("span", { class: "field-error", role: "alert" })

    /** @param isNamed whether the label shows; it is there for screen readers always */
    constructor(label: string, control: C, { isNamed = true }: { isNamed?: boolean } = {}) {
        this.control = control
        control.id = `field-${fields++}`
        this.error.id = `${control.id}-error`
        const name = h("label", { for: control.id, class: isNamed ? "field-label" : "spoken" }, label)
        this.element = h("div", { class: "field" }, name, control, this.error)
        control.addEventListener("input", () => this.say(""))
    }

    /** Empty: nothing is wrong. */
    say(wrong: string): void {
        setText(this.error, wrong)
        if (wrong === "") {
            this.control.removeAttribute("aria-invalid")
            this.control.removeAttribute("aria-describedby")
            return
        }
        this.control.setAttribute("aria-invalid", "true")
        this.control.setAttribute("aria-describedby", this.error.id)
    }

    /** What is wrong by what the control itself takes, in the language of the page; empty where nothing is. */
    fault(): string {
        const { control } = this
        const { valueMissing, rangeUnderflow, rangeOverflow, valid } = control.validity
        if (valid) return ""
        if (valueMissing) return t.field.missing
        if ((rangeUnderflow || rangeOverflow) && control instanceof HTMLInputElement)
            return t.field.range(setting(Number(control.min)), setting(Number(control.max)))
        return t.field.wrong
    }
}

/** Shows what is wrong with each, moves the focus to the first of them; true where nothing is wrong. */
export function areRight(all: readonly Field[]): boolean {
    let first: Field | undefined
    for (const field of all) {
        const fault = field.fault()
        field.say(fault)
        if (fault !== "") first ??= field
    }
    first?.control.focus()
    return first === undefined
}

export function selectOf(
    values: readonly string[],
    textOf: (value: string) => string,
    value = values[0],
): HTMLSelectElement {
    const select = h("select", {}, ...values.map(each => h("option", { value: each }, textOf(each))))
    select.value = value ?? ""
    return select
}

export function numberInput(min: number, max: number, value: number | "", isRequired = true): HTMLInputElement {
    const input = h("input", { type: "number", min: String(min), max: String(max), step: "any", inputmode: "decimal" })
    input.required = isRequired
    input.value = String(value)
    return input
}
