import { alarmKindOf, alarmKinds, priorities, type Priority } from "../../wire/tables/alarm-kinds.ts"
import { quantities, unitText } from "../../wire/tables/quantities.ts"
import { h } from "../../browser/dom.ts"
import type { WardSettings } from "./api.ts"
import { Field, numberInput, selectOf } from "./fields.ts"
import { setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

type Rules = WardSettings["priorities"]

const greatestBeyond = 1000

/** How urgent each kind of alarm is on a ward: as usual, or otherwise, and otherwise again where a value is far beyond its limit. */
export class Priorities {
    readonly element: HTMLElement
    private readonly rows: readonly PriorityRow[]

    constructor(rules: Rules) {
        this.rows = Object.keys(alarmKinds).map(kind => new PriorityRow(kind, rules[kind]))
        const body = h("tbody", {}, ...this.rows.map(({ element }) => element))
        this.element = table(Object.values(t.rules.column), body)
    }

    get fields(): Field[] {
        return this.rows.flatMap(({ fields }) => fields)
    }

    /** Those that are not as usual. */
    get rules(): Rules {
        return Object.fromEntries(this.rows.flatMap(({ kind, rule }) => (rule ? [[kind, rule]] : [])))
    }

    /** Where something about a kind stands, for a place such as `hr-high/severe`. */
    fieldAt([kind, part]: readonly string[]): Field | undefined {
        return this.rows.find(one => one.kind === kind)?.fieldAt(part)
    }
}

class PriorityRow {
    readonly kind: string
    readonly element: HTMLElement
    private readonly priority: Field<HTMLSelectElement>
    private readonly beyond: Field<HTMLInputElement>
    private readonly severe: Field<HTMLSelectElement>
    private readonly hasLimit: boolean

    constructor(kind: string, rule: Rules[string] | undefined) {
        this.kind = kind
        const { priority, severe, cause } = alarmKindOf(kind)
        this.hasLimit = "quantity" in cause
        const unit = "quantity" in cause ? unitText(quantities[cause.quantity].unit) : ""
        const name = t.alarms.kind(kind)
        const textOf = (value: string) => (value === "" ? "" : t.alarms.priority[value as Priority])
        const usual = t.rules.usual(textOf(priority))
        this.priority = new Field(
            t.rules.priorityOf(name),
            selectOf(["", ...priorities], value => textOf(value) || usual, rule?.priority ?? ""),
            { isNamed: false },
        )
        const beyond = numberInput(0, greatestBeyond, rule?.severe?.beyond ?? "", false)
        this.beyond = new Field(t.rules.beyondOf(name, unit), beyond, { isNamed: false })
        this.severe = new Field(
            t.rules.severeOf(name),
            selectOf(["", ...priorities], value => textOf(value) || t.rules.notMore, rule?.severe?.priority ?? ""),
            { isNamed: false },
        )
        const far = h("div", { class: "rules-severe" }, this.severe.element, t.rules.from, this.beyond.element, unit)
        const usually = severe ? t.rules.usualSevere(textOf(severe.priority), setting(severe.beyond), unit) : ""
        const hint = h("span", { class: "config-hint" }, usually)
        this.element = row(Object.values(t.rules.column), [
            name,
            this.priority.element,
            this.hasLimit ? h("div", {}, far, hint) : t.news2.none,
        ])
        const follow = () => this.follow(far, hint)
        for (const { control } of [this.priority, this.severe]) control.addEventListener("change", follow)
        follow()
    }

    get fields(): Field[] {
        return [this.priority, this.severe, this.beyond]
    }

    get rule(): Rules[string] | undefined {
        const priority = priorities.find(each => each === this.priority.control.value)
        const severe = priorities.find(each => each === this.severe.control.value)
        if (!priority) return undefined
        return { priority, ...(severe && { severe: { beyond: Number(this.beyond.control.value), priority: severe } }) }
    }

    fieldAt(part: string | undefined): Field {
        return part === "severe" ? this.beyond : this.priority
    }

    /** A second priority makes sense beside a first one only, and needs to know from where on. */
    private follow(far: HTMLElement, hint: HTMLElement): void {
        const isOwn = this.priority.control.value !== ""
        if (!isOwn) this.severe.control.value = ""
        far.hidden = !isOwn
        hint.hidden = isOwn
        const isSevere = this.severe.control.value !== ""
        this.beyond.control.disabled = !isSevere
        this.beyond.control.required = isSevere
        if (!isSevere) this.beyond.control.value = ""
        this.beyond.say("")
    }
}
