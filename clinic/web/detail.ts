import { AlarmHistory } from "./alarm-history.ts"
import { history, type Observation, type Score, type Session, type WardPatient } from "./api.ts"
import { chartKinds, type ChartRange } from "./chart.ts"
import { now } from "./clock.ts"
import { ConfigView } from "./config.ts"
import { h, setText } from "../../browser/dom.ts"
import { ChartFigure } from "./figure.ts"
import type { WardModel } from "./model.ts"
import { News2View } from "./news2.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"
import { VitalView, vitalKinds } from "./vital.ts"
import { updateContact } from "./card.ts"

const ranges: ChartRange[] = [
    { name: "m5", ms: 5 * 60_000, stepS: 1 },
    { name: "h1", ms: 3_600_000, stepS: 5 },
    { name: "h8", ms: 8 * 3_600_000, stepS: 30 },
    { name: "h24", ms: 24 * 3_600_000, stepS: 90 },
]

/** One patient: the newest values and how they came about. */
export class DetailView implements View {
    readonly element = h("main", { class: "detail" })
    readonly title: string
    readonly patient: number
    private readonly model: WardModel
    private readonly contact = h("span", { class: "contact" })
    private readonly problem = h("p", { class: "problem", role: "status" })
    private readonly vitals = vitalKinds.map(kind => ({
        kind,
        view: new VitalView(kind),
    }))
    private readonly alarmHistory: AlarmHistory
    private readonly news2: News2View
    private readonly configs: ConfigView[]
    private range = ranges[0]!
    private readonly figures = chartKinds.map(kind => new ChartFigure(kind, this.range))
    private readonly charts = this.figures.map(({ chart }) => chart)

    constructor(who: WardPatient, model: WardModel, user: Session) {
        this.patient = who.id
        this.model = model
        this.alarmHistory = new AlarmHistory(model, who.id)
        this.news2 = new News2View(who.id, user)
        this.configs = who.motes.map(mote => new ConfigView(mote, user))
        this.title = t.ward.name(who.family, who.given)
        this.element.append(
            h(
                "div",
                { class: "detail-head" },
                h("a", { class: "back", href: "#/" }, t.patient.back),
                h("h1", { tabindex: "-1" }, this.title),
                h("span", { class: "bed" }, who.bed === null ? "" : t.ward.bed(who.bed)),
                this.contact,
            ),
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
            this.news2.element,
            this.rangeChoice(),
            this.problem,
            ...this.figures.map(figure => figure.element),
            this.alarmHistory.element,
            ...this.configs.map(config => config.element),
        )
        this.reload()
    }

    update(now: number): void {
        this.alarmHistory.update()
        this.news2.update(now)
        const silentMs = this.model.silentMs(this.patient)
        updateContact(this.contact, this.model.newestTime(this.patient, now), now, silentMs)
        for (const { kind, view } of this.vitals) view.update(this.model.newest(this.patient, kind.name), now, silentMs)
        for (const chart of this.charts) chart.update(now)
    }

    add(observation: Observation): void {
        if (observation.patient !== this.patient) return
        const chart = this.charts.find(({ kind }) => kind.vital.name === observation.name)
        chart?.add(observation.time, observation.value)
    }

    showScore(score: Score): void {
        this.news2.show(score)
    }

    reload(): void {
        for (const chart of this.charts) chart.setRange(this.range)
        void this.load(this.range)
    }

    close(): void {
        for (const chart of this.charts) chart.close()
        this.news2.close()
        for (const config of this.configs) config.close()
    }

    private async load(range: ChartRange): Promise<void> {
        try {
            const before = now() + range.stepS * 1000
            const from = before - range.ms
            const found = await history(this.patient, from, before, range.stepS)
            if (range !== this.range) return // another one was chosen meanwhile
            for (const chart of this.charts) chart.load(found[chart.kind.vital.name])
            setText(this.problem, "")
            this.update(now())
        } catch (error) {
            setText(this.problem, t.patient.historyFailed((error as Error).message))
        }
    }

    private rangeChoice(): HTMLElement {
        const choice = h("fieldset", { class: "ranges" }, h("legend", {}, t.chart.timeShown))
        for (const range of ranges) {
            const input = h("input", { type: "radio", name: "range" })
            input.checked = range === this.range
            input.addEventListener("change", () => {
                this.range = range
                this.reload()
            })
            choice.append(h("label", {}, input, h("span", {}, t.chart.range[range.name])))
        }
        return choice
    }
}
