import { AlarmHistory } from "./alarm-history.ts"
import { AlarmList } from "./alarm.ts"
import { history, type Observation, type Session } from "./api.ts"
import { chartKinds, type ChartRange } from "./chart.ts"
import { now } from "./clock.ts"
import { ConfigView } from "./config.ts"
import { h, setText } from "../../browser/dom.ts"
import { ChartFigure } from "./figure.ts"
import type { WardModel } from "./model.ts"
import type { View } from "./view.ts"
import { VitalView, vitalKinds } from "./vital.ts"
import { updateContact } from "./ward.ts"

const ranges: ChartRange[] = [
    { label: "5 min", ms: 5 * 60_000, stepS: 1 },
    { label: "1 h", ms: 3_600_000, stepS: 5 },
    { label: "8 h", ms: 8 * 3_600_000, stepS: 30 },
    { label: "24 h", ms: 24 * 3_600_000, stepS: 90 },
]

/** One patient: the newest values and how they came about. */
export class DetailView implements View {
    readonly element = h("main", { class: "detail" })
    readonly title: string
    private readonly patient: number
    private readonly model: WardModel
    private readonly contact = h("span", { class: "contact" })
    private readonly problem = h("p", { class: "problem", role: "status" })
    private readonly vitals = vitalKinds.map(kind => ({
        kind,
        view: new VitalView(kind),
    }))
    private readonly alarms: AlarmList
    private readonly alarmHistory: AlarmHistory
    private readonly configs: ConfigView[]
    private range = ranges[0]!
    private readonly figures = chartKinds.map(kind => new ChartFigure(kind, this.range))
    private readonly charts = this.figures.map(({ chart }) => chart)

    constructor(patient: number, model: WardModel, user: Session) {
        this.patient = patient
        this.model = model
        const who = model.patient(patient)
        this.alarms = new AlarmList(model, user, patient)
        this.alarmHistory = new AlarmHistory(model, patient)
        this.configs = (who?.motes ?? []).map(mote => new ConfigView(mote, user))
        this.title = who ? `${who.family}, ${who.given}` : "Unknown patient"
        this.element.append(
            h(
                "div",
                { class: "detail-head" },
                h("a", { class: "back", href: "#/" }, "← Ward"),
                h("h1", { tabindex: "-1" }, this.title),
                h("span", { class: "bed" }, who?.bed ? `Bed ${who.bed}` : ""),
                this.contact,
            ),
            this.alarms.element,
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
            this.rangeChoice(),
            this.problem,
            ...this.figures.map(figure => figure.element),
            this.alarmHistory.element,
            ...this.configs.map(config => config.element),
        )
        this.reload()
    }

    update(now: number): void {
        this.alarms.update(now)
        this.alarmHistory.update()
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

    reload(): void {
        for (const chart of this.charts) chart.setRange(this.range)
        void this.load(this.range)
    }

    close(): void {
        for (const chart of this.charts) chart.close()
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
            setText(this.problem, `Earlier values could not be loaded: ${(error as Error).message}`)
        }
    }

    private rangeChoice(): HTMLElement {
        const choice = h("fieldset", { class: "ranges" }, h("legend", {}, "Time shown"))
        for (const range of ranges) {
            const input = h("input", { type: "radio", name: "range" })
            input.checked = range === this.range
            input.addEventListener("change", () => {
                this.range = range
                this.reload()
            })
            choice.append(h("label", {}, input, h("span", {}, range.label)))
        }
        return choice
    }
}
