import { h, setText } from "../../browser/dom.ts"
import { Refused, type WardRules, type WardSettings } from "./api.ts"
import { areRight, Field, numberInput } from "./fields.ts"
import { Priorities } from "./rules-priorities.ts"
import { ShiftRow, StepRow } from "./rules-rows.ts"
import { t } from "./texts/language.ts"

const usualMinutes = 15
const longestMinutes = 240
const mostShifts = 10
const mostSteps = 20
const usualSeconds = 120
/** Where in a request the clinic finds something wrong. */
const settingsPlace = "body/settings/"

/** What a ward decides about its alarms, to be changed; what the clinic refuses is said at the field that it is about. */
export class RulesForm {
    readonly element = h("form", { class: "rules-form", novalidate: "" })
    private readonly minutes: Field<HTMLInputElement>
    private readonly priorities: Priorities
    private readonly receivers: readonly string[]
    private readonly shiftList = h("ul", { class: "rules-list" })
    private readonly stepList = h("ul", { class: "rules-list" })
    private readonly stepProblem = h("p", { class: "field-error", role: "alert" })
    private readonly problem = h("p", { class: "problem", role: "alert" })
    private readonly button = h("button", {}, t.rules.save)
    private readonly save: (settings: WardSettings) => Promise<void>
    private shifts: ShiftRow[] = []
    private steps: StepRow[] = []
    private shiftNames: readonly string[] = []

    /** @param save rejects where the clinic refuses them */
    constructor(
        { settings, receivers }: WardRules,
        o: { mayChange: boolean; save: (settings: WardSettings) => Promise<void> },
    ) {
        this.save = o.save
        this.receivers = receivers
        const known = settings ?? { acknowledgedMinutes: usualMinutes, shifts: [], escalation: [], priorities: {} }
        this.minutes = new Field(t.rules.holds, numberInput(1, longestMinutes, known.acknowledgedMinutes))
        this.minutes.control.step = "1"
        this.priorities = new Priorities(known.priorities)
        for (const shift of known.shifts) this.addShift(shift)
        for (const step of known.escalation) this.addStep(step)
        this.shiftNames = this.shifts.map(({ shift }) => shift.name)
        this.offerShifts()
        this.element.append(
            h("section", {}, h("h2", {}, t.rules.acknowledgement), this.minutes.element),
            this.section(t.rules.shifts, t.rules.shiftsHint, this.shiftList, [
                this.adder(t.rules.addShift, () => this.newShift()),
            ]),
            this.section(t.rules.escalation, t.rules.escalationHint, this.stepList, [
                this.stepProblem,
                this.adder(t.rules.addStep, () => this.newStep()),
            ]),
            this.section(t.rules.priorities, t.rules.prioritiesHint, this.priorities.element, []),
        )
        this.element.addEventListener("input", () => this.offerShifts())
        this.element.addEventListener("submit", event => {
            event.preventDefault()
            void this.submit()
        })
        if (o.mayChange) this.element.append(h("div", { class: "config-buttons" }, this.button, this.problem))
        else
            for (const part of this.element.querySelectorAll("input, select, button"))
                part.toggleAttribute("disabled", true)
    }

    private section(heading: string, hint: string, content: HTMLElement, more: HTMLElement[]): HTMLElement {
        return h("section", {}, h("h2", {}, heading), h("p", { class: "config-hint" }, hint), content, ...more)
    }

    private adder(text: string, add: () => void): HTMLElement {
        const button = h("button", { type: "button", class: "quiet" }, text)
        button.addEventListener("click", add)
        return button
    }

    private newShift(): void {
        if (this.shifts.length >= mostShifts) return
        const last = this.shifts.at(-1)?.shift
        const row = this.addShift({ name: "", from: last?.to ?? "06:00", to: this.shifts[0]?.shift.from ?? "14:00" })
        row.name.control.focus()
        this.offerShifts()
    }

    private newStep(): void {
        if (this.steps.length >= mostSteps) return
        const row = this.addStep({ afterSeconds: (this.steps.at(-1)?.step.afterSeconds ?? 0) + usualSeconds, tell: "" })
        row.offer(this.shiftNames, this.shiftNames)
        row.tell.control.focus()
    }

    private addShift(shift: WardSettings["shifts"][number]): ShiftRow {
        const row = new ShiftRow(shift, () => {
            this.shifts = this.shifts.filter(other => other !== row)
            this.shiftNames = this.shiftNames.filter(name => name !== row.shift.name)
            row.element.remove()
            this.offerShifts()
        })
        this.shifts.push(row)
        this.shiftList.append(row.element)
        return row
    }

    private addStep(step: WardSettings["escalation"][number]): StepRow {
        const row = new StepRow(step, this.receivers, () => {
            this.steps = this.steps.filter(other => other !== row)
            row.element.remove()
        })
        this.steps.push(row)
        this.stepList.append(row.element)
        return row
    }

    /** A step goes by shifts as they are called now. */
    private offerShifts(): void {
        const names = this.shifts.map(({ shift }) => shift.name)
        const before = this.shiftNames.length === names.length ? this.shiftNames : names
        this.shiftNames = names
        for (const step of this.steps) step.offer(names, before)
    }

    private async submit(): Promise<void> {
        setText(this.problem, "")
        setText(this.stepProblem, "")
        const fields = [...this.shifts, ...this.steps, this.priorities].flatMap(part => part.fields)
        if (!areRight([this.minutes, ...fields]) || !this.areShiftsRight()) return
        this.button.disabled = true
        try {
            await this.save(this.settings)
        } catch (error) {
            this.refuse(error as Error)
        } finally {
            this.button.disabled = false
        }
    }

    private get settings(): WardSettings {
        return {
            acknowledgedMinutes: Number(this.minutes.control.value),
            shifts: this.shifts.map(({ shift }) => shift),
            escalation: this.steps.map(({ step }) => step),
            priorities: this.priorities.rules,
        }
    }

    private areShiftsRight(): boolean {
        for (const [i, { shift, name, to }] of this.shifts.entries()) {
            const isTwice = this.shifts.findIndex(other => other.shift.name === shift.name) < i
            const [field, wrong] = isTwice
                ? [name, t.rules.nameTwice]
                : [to, shift.from === shift.to ? t.rules.noTime : ""]
            field.say(wrong)
            if (wrong !== "") {
                field.control.focus()
                return false
            }
        }
        return true
    }

    private refuse(error: Error): void {
        const problem = error instanceof Refused ? error.problem : undefined
        const field = problem?.place?.startsWith(settingsPlace)
            ? this.fieldAt(problem.place.slice(settingsPlace.length).split("/"))
            : undefined
        if (problem?.code === "nobody-to-tell") return setText(this.stepProblem, t.problem(problem))
        if (!field) return setText(this.problem, t.rules.notSaved(error.message))
        field.say(t.field.wrong)
        field.control.focus()
    }

    private fieldAt([part, which, ...more]: readonly string[]): Field | undefined {
        const at = Number(which)
        if (part === "acknowledgedMinutes") return this.minutes
        if (part === "shifts") return this.shifts[at]?.name ?? this.shifts[0]?.name
        if (part === "escalation") return this.steps[at]?.tell
        if (part === "priorities" && which !== undefined) return this.priorities.fieldAt([which, ...more])
        return undefined
    }
}
