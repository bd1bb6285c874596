import { h } from "../../browser/dom.ts"
import type { ShownOption } from "../browser/messages.ts"
import { formatHints, formatOf, namedOptions, optionHex, optionText } from "./option-codec.ts"

const maxOptionNumber = 65_535

interface Row {
    element: HTMLElement
    read(): ShownOption
}

/** The options of a request beside Accept and Content-Format: a row each, by name or by number. */
export class OptionRows {
    private readonly list = h("ul", { class: "options" })
    private rows: Row[] = []
    readonly element: HTMLElement

    constructor() {
        const add = h("button", { type: "button" }, "Add an option")
        add.addEventListener("click", () => this.add(4, ""))
        this.element = h("div", { role: "group", "aria-label": "Options" }, this.list, add)
    }

    /** Throws with a line for the user. */
    read(): ShownOption[] {
        return this.rows.map(row => row.read())
    }

    fill(options: ShownOption[]): void {
        this.rows = []
        this.list.replaceChildren()
        for (const { number, value } of options) {
            const text = optionText(number, value)
            if (text === undefined) this.add("other", value, number)
            else this.add(number, text)
        }
    }

    /** @param which a number that has a name, or another one, which is `number` then */
    private add(which: number | "other", typed: string, number?: number): void {
        const isNamed = namedOptions.some(option => option.number === which)
        const choice = h(
            "select",
            { "aria-label": "Option" },
            ...namedOptions.map(option => h("option", { value: String(option.number) }, `${option.name}`)),
            h("option", { value: "other" }, "another, by number"),
        )
        const other = h("input", { "aria-label": "Option number", inputmode: "numeric", maxlength: "5" })
        const value = h("input", { "aria-label": "Option value", autocomplete: "off", spellcheck: "false" })
        const remove = h("button", { type: "button", "aria-label": "Remove the option" }, "×")
        choice.value = isNamed ? String(which) : "other"
        other.value = isNamed ? "" : String(number ?? which)
        value.value = typed
        const show = () => {
            other.hidden = choice.value !== "other"
            const format = choice.value === "other" ? "opaque" : formatOf(Number(choice.value))
            value.placeholder = formatHints[format]
            value.disabled = format === "empty"
        }
        choice.addEventListener("change", () => {
            value.value = ""
            show()
        })
        show()
        const row: Row = {
            element: h("li", { class: "row" }, choice, other, value, remove),
            read: () => {
                if (choice.value !== "other") {
                    const named = Number(choice.value)
                    return { number: named, value: optionHex(named, value.value) }
                }
                const chosen = Number(other.value)
                if (!/^\d{1,5}$/.test(other.value) || chosen > maxOptionNumber)
                    throw new Error(`An option’s number is one from 0 to ${maxOptionNumber}; this is “${other.value}”.`)
                return { number: chosen, value: readHex(value.value) }
            },
        }
        remove.addEventListener("click", () => {
            this.rows = this.rows.filter(one => one !== row)
            row.element.remove()
        })
        this.rows.push(row)
        this.list.append(row.element)
    }
}

/** The bytes of an option without a name. */
function readHex(typed: string): string {
    const digits = typed.replace(/\s|0x/gi, "").toLowerCase()
    if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`An option by number takes hex; this is “${typed}”.`)
    return digits
}
