import "./statistics.css"
import { h, setText } from "../../browser/dom.ts"
import { alarmStatistics, statisticsCsv, type Statistics } from "./api.ts"
import { now } from "./clock.ts"
import { DayChart } from "./day-chart.ts"
import { duration, number, setting } from "./format.ts"
import type { WardModel } from "./model.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"
import { WhatIf } from "./what-if.ts"

const dayMs = 86_400_000
const periods = [1, 7, 30]

/** How many alarms there were, for whom, and what became of them; and how many other limits would have made. */
export class StatisticsView implements View {
    readonly element = h("main", { class: "statistics" })
    readonly title = t.statistics.heading
    private readonly model: WardModel
    private readonly days = h("select", { id: "statistics-days" })
    private readonly ward = h("select", { id: "statistics-ward" })
    private readonly csv = h("a", { href: "#", download: "" }, t.statistics.csv)
    private readonly summary = h("p", { role: "status" })
    private readonly chart = new DayChart()
    private readonly kinds = h("tbody")
    private readonly loudest = h("tbody")
    private readonly beds = h(
        "section",
        {},
        h("h2", {}, t.statistics.loudest),
        table(Object.values(t.statistics.loud), this.loudest),
    )
    private readonly whatIf: WhatIf

    constructor(model: WardModel) {
        this.model = model
        const { statistics } = t
        this.days.append(...periods.map(n => h("option", { value: String(n) }, statistics.days(n))))
        this.days.value = "7"
        const wards = new Set(model.all().map(({ ward }) => ward))
        this.ward.append(
            h("option", { value: "" }, statistics.everywhere),
            ...[...wards].filter(ward => ward !== null).map(ward => h("option", { value: ward }, ward)),
        )
        this.whatIf = new WhatIf(() => ({ ...this.period(), patients: this.patients() }))
        for (const choice of [this.days, this.ward]) choice.addEventListener("change", () => this.reload())
        this.element.append(
            h("a", { class: "back", href: "#/" }, t.patient.back),
            h("h1", { tabindex: "-1" }, statistics.heading),
            h(
                "div",
                { class: "statistics-choice" },
                h("label", { for: this.days.id }, statistics.period, this.days),
                h("label", { for: this.ward.id }, statistics.ward, this.ward),
                this.csv,
            ),
            h("section", {}, h("h2", {}, statistics.perDay), this.summary, this.chart.element),
            h("section", {}, h("h2", {}, statistics.kinds), table(Object.values(statistics.column), this.kinds)),
            this.beds,
            this.whatIf.element,
        )
        this.reload()
    }

    update(): void {}
    add(): void {}

    reload(): void {
        const { from, before } = this.period()
        const ward = this.ward.value === "" ? undefined : this.ward.value
        this.csv.href = statisticsCsv(from, before, ward)
        void alarmStatistics(from, before, ward)
            .then(found => this.show(found))
            .catch((error: Error) => setText(this.summary, t.statistics.failed(error.message)))
    }

    close(): void {
        this.chart.close()
        this.whatIf.close()
    }

    /** Whole days that end now. */
    private period(): { from: number; before: number } {
        const before = Math.trunc(now())
        return { from: before - Number(this.days.value) * dayMs, before }
    }

    private patients() {
        return this.model.all().filter(({ ward }) => this.ward.value === "" || ward === this.ward.value)
    }

    private show({ all, kinds, priorities, patientDays, days, loudest }: Statistics): void {
        const { statistics } = t
        setText(this.summary, statistics.summary(setting(all.count), rate(all.perPatientDay), number(patientDays, 1)))
        this.chart.show(days)
        this.kinds.replaceChildren(
            row(Object.values(statistics.column), countCells(statistics.all, all)),
            ...priorities.map(some =>
                row(Object.values(statistics.column), countCells(priorityText(some.priority), some)),
            ),
            ...kinds.map(some => row(Object.values(statistics.column), countCells(t.alarms.kind(some.kind), some))),
        )
        this.beds.hidden = loudest.length === 0
        this.loudest.replaceChildren(
            ...loudest.map(({ patient, family, given, bed, count, perDay }) => {
                const name = t.ward.name(family, given)
                const who = bed === null ? name : `${name} · ${t.ward.bed(bed)}`
                const link = h("a", { href: `#/patients/${patient}` }, who)
                return row(Object.values(statistics.loud), [link, setting(count), rate(perDay)])
            }),
        )
    }
}

function priorityText(priority: string): string {
    const { priority: names } = t.statistics
    return priority === "high" || priority === "medium" || priority === "low" ? names[priority] : priority
}

function rate(perDay: number | null): string {
    return perDay === null ? t.statistics.unknownRate : number(perDay, 2)
}

function countCells(name: string, { count, begun, perPatientDay, endedSoon, waiting }: Statistics["all"]): string[] {
    const wait = (ms: number | null) => (ms === null ? t.news2.none : duration(ms))
    const { unseen, medianMs, p90Ms } = waiting
    const counts = [setting(count), setting(begun), rate(perPatientDay), setting(endedSoon), setting(unseen)]
    return [name, ...counts, wait(medianMs), wait(p90Ms)]
}
