import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { configFields, type ConfigField, type ConfigName } from "../../wire/tables/settings.ts"
import { quantities, unitText } from "../../wire/tables/quantities.ts"
import { h, setText } from "../../browser/dom.ts"
import { replayAlarms, type ReplayResult, type WardPatient } from "./api.ts"
import { dateTime, duration, number, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const dayMs = 86_400_000
const tried: readonly ConfigName[] = ["hrLow", "hrHigh", "tempLow", "tempHigh", "spo2Low", "delay"]
const shownMissed = 50

interface Which {
    from: number
    before: number
    patients: readonly WardPatient[]
}

/** Other limits on what is stored: one patient after the other, since each takes the clinic a while. */
export class WhatIf {
    readonly element = h("section", { "aria-label": t.statistics.whatIf })
    private readonly form = h("form", { novalidate: "" })
    private readonly inputs = new Map<ConfigName, HTMLInputElement>()
    private readonly state = h("p", { role: "status", class: "statistics-hint" })
    private readonly button = h("button", { type: "submit" }, t.statistics.try)
    private readonly results = h("tbody")
    private readonly missed = h("ul")
    /** Empty until something was tried: then it is not shown. */
    private readonly outcome = h("div", { hidden: "" }, h("h2", {}, t.statistics.missed), this.missed)
    private readonly which: () => Which
    private isClosed = false

    constructor(which: () => Which) {
        this.which = which
        const { statistics } = t
        for (const field of configFields) if (tried.includes(field.name)) this.form.append(this.field(field))
        this.form.append(this.button)
        this.form.addEventListener("submit", event => {
            event.preventDefault()
            void this.run()
        })
        this.element.append(
            h("h2", {}, statistics.whatIf),
            h("p", { class: "statistics-hint" }, statistics.hint),
            ...[this.form, this.state, table(Object.values(statistics.result), this.results)],
            this.outcome,
        )
    }

    close(): void {
        this.isClosed = true
    }

    private field({ name, label, min, max, step, unit }: ConfigField): HTMLElement {
        const input = h("input", {
            ...{ type: "number", min: String(min), max: String(max), step: String(step) },
            placeholder: t.statistics.asNow,
        })
        this.inputs.set(name as ConfigName, input)
        return h("label", {}, `${t.config.field(name, label)}, ${unitText(unit)}`, input)
    }

    private async run(): Promise<void> {
        const wrong = [...this.inputs.values()].find(input => !input.checkValidity())
        if (wrong) return void wrong.reportValidity()
        const given = [...this.inputs].filter(([, { value }]) => value !== "")
        if (given.length === 0) return setText(this.state, t.statistics.nothing)
        const limits = Object.fromEntries(given.map(([name, { value }]) => [name, Number(value)]))
        const { from, before, patients } = this.which()
        this.button.disabled = true
        const found: { patient: WardPatient; result: ReplayResult }[] = []
        try {
            for (const patient of patients) {
                setText(this.state, t.statistics.trying(setting(found.length), setting(patients.length)))
                found.push({ patient, result: await replayAlarms(patient.id, { from, before, limits }) })
                if (this.isClosed) return
                this.show(found)
            }
            setText(this.state, "")
        } catch (error) {
            setText(this.state, t.statistics.failed((error as Error).message))
        } finally {
            this.button.disabled = false
        }
    }

    private show(found: readonly { patient: WardPatient; result: ReplayResult }[]): void {
        const { statistics } = t
        const days = found.reduce((sum, { result }) => sum + result.watchedMs, 0) / dayMs
        const perDay = (count: number) => (days > 0 ? number(count / days, 2) : statistics.unknownRate)
        const kinds = found[0]!.result.kinds.map(({ kind }) => kind)
        const columns = Object.values(statistics.result)
        this.results.replaceChildren(
            ...kinds.map(kind => {
                const all = found.map(({ result }) => result.kinds.find(other => other.kind === kind)!)
                const sum = (name: "asSet" | "whatIf" | "missed") => all.reduce((n, one) => n + one[name], 0)
                const latest = Math.max(...all.map(({ latestMs }) => latestMs))
                const cells = [perDay(sum("asSet")), perDay(sum("whatIf")), setting(sum("missed")), duration(latest)]
                return row(columns, [t.alarms.kind(kind), ...cells])
            }),
        )
        const missed = found.flatMap(({ patient, result }) => result.missed.map(one => ({ patient, ...one })))
        const lines = missed.slice(0, shownMissed).map(({ patient, kind, from, to, worst }) => {
            const lasted = to === null ? statistics.notOver : statistics.lasted(duration(to - from))
            const who = t.ward.name(patient.family, patient.given)
            return statistics.missedOne(who, t.alarms.kind(kind), dateTime(from), lasted, worstText(kind, worst))
        })
        this.outcome.hidden = false
        this.missed.replaceChildren(...(lines.length > 0 ? lines : [statistics.none]).map(line => h("li", {}, line)))
    }
}

function worstText(kind: string, worst: number): string {
    const { cause } = alarmKindOf(kind)
    if (!("quantity" in cause)) return setting(worst)
    const { digits, unit } = quantities[cause.quantity]
    return `${number(worst, digits)} ${unitText(unit)}`
}
