import { AlarmHistory } from "./alarm-history.ts"
import {
    alarmsOf,
    history,
    moteConfig,
    scoreHistory,
    type Note,
    type Observation,
    type Score,
    type Session,
    type WardPatient,
} from "./api.ts"
import { marksOf, noMarks, type Marks } from "./chart-marks.ts"
import { centred, nameOf, panned, rangeOf, spans, zoomed, type ChartRange, type SpanName } from "./chart-range.ts"
import { CsvLink } from "./csv-link.ts"
import { now } from "./clock.ts"
import { ConfigView } from "./config.ts"
import { h, setText } from "../../browser/dom.ts"
import { ChartFigure } from "./figure.ts"
import { fullTime } from "./format.ts"
import type { WardModel } from "./model.ts"
import { News2View } from "./news2.ts"
import { NotesView } from "./notes.ts"
import { ScoreCurve } from "./score-curve.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"
import { VitalView, vitalKinds } from "./vital.ts"
import { curveKinds, VitalCurve } from "./vital-curve.ts"
import { updateContact } from "./card.ts"

const loadMs = 200

/** One patient: the newest values and how they came about. */
export class DetailView implements View {
    readonly element = h("main", { class: "detail" })
    readonly title: string
    readonly patient: number
    private readonly model: WardModel
    private readonly user: string
    private readonly contact = h("span", { class: "contact" })
    private readonly problem = h("p", { class: "problem", role: "status" })
    private readonly printed = h("p", { class: "printed" })
    private readonly vitals = vitalKinds.map(kind => ({
        kind,
        view: new VitalView(kind),
    }))
    private readonly alarmHistory: AlarmHistory
    private readonly news2: News2View
    private readonly notes: NotesView
    private readonly configs: ConfigView[]
    private range = rangeOf(spans.m5, null)
    private readonly control = {
        pan: (share: number) => this.change(panned(this.range, share, now())),
        zoom: (factor: number, at: number) => this.change(zoomed(this.range, factor, at, now())),
        toNow: () => this.change(rangeOf(this.range.ms, null)),
    }
    private readonly vitalFigures = curveKinds.map(kind => {
        const curve = new VitalCurve(kind, this.range.stepS * 1000)
        return new ChartFigure(curve, this.range, this.control)
    })
    private readonly scoreFigure = new ChartFigure(new ScoreCurve(this.range.stepS * 1000), this.range, this.control)
    private readonly inputs = new Map<SpanName, HTMLInputElement>()
    private readonly toNow = h("button", { type: "button", class: "quiet" }, t.chart.toNow)
    private loadTimer: number | undefined
    private readonly charts = [...this.vitalFigures, this.scoreFigure].map(({ chart }) => chart)
    /** By the names of vital signs. */
    private marks = new Map<string, Omit<Marks, "notes">>()
    private noted: readonly Note[] = []

    constructor(who: WardPatient, model: WardModel, user: Session) {
        this.patient = who.id
        this.user = user.user
        this.model = model
        this.alarmHistory = new AlarmHistory(model, who.id)
        this.news2 = new News2View(who.id, user, score => {
            this.scoreFigure.chart.curve.add(score)
            this.scoreFigure.chart.changed()
        })
        this.notes = new NotesView(who.id, user, {
            known: notes => {
                this.noted = notes
                this.showMarks()
            },
            wanted: ({ time }) => this.change(centred(this.range, time, now())),
        })
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
            this.printed,
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
            this.news2.element,
            this.rangeChoice(),
            this.problem,
            ...this.vitalFigures.map(figure => figure.element),
            this.scoreFigure.element,
            this.news2.parts,
            this.notes.element,
            this.alarmHistory.element,
            ...this.configs.map(config => config.element),
        )
        this.reload()
    }

    update(now: number): void {
        setText(this.printed, t.patient.printed(fullTime(now), this.user))
        this.alarmHistory.update()
        this.news2.update(now)
        const silentMs = this.model.silentMs(this.patient)
        updateContact(this.contact, this.model.newestTime(this.patient, now), now, silentMs)
        for (const { kind, view } of this.vitals) view.update(this.model.newest(this.patient, kind.name), now, silentMs)
        for (const chart of this.charts) chart.update(now)
    }

    add(observation: Observation): void {
        if (observation.patient !== this.patient) return
        const chart = this.vitalFigures.find(({ chart }) => chart.curve.name === observation.name)?.chart
        chart?.curve.add(observation.time, observation.value, observation.quality)
        chart?.changed()
    }

    showScore(score: Score): void {
        this.news2.show(score)
    }

    reload(): void {
        this.change(this.range)
        void this.loadMarks()
    }

    private change(range: ChartRange): void {
        this.range = range
        const name = nameOf(range)
        for (const [span, input] of this.inputs) input.checked = span === name
        this.toNow.hidden = range.end === null
        for (const chart of this.charts) {
            chart.setRange(range)
            chart.update(now())
        }
        // While somebody drags, only where they stop is loaded.
        clearTimeout(this.loadTimer)
        this.loadTimer = window.setTimeout(() => void this.load(range), loadMs)
    }

    close(): void {
        clearTimeout(this.loadTimer)
        for (const chart of this.charts) chart.close()
        this.news2.close()
        this.notes.close()
        for (const config of this.configs) config.close()
    }

    private async load(range: ChartRange): Promise<void> {
        try {
            const before = (range.end ?? now()) + range.stepS * 1000
            const from = before - range.ms - range.stepS * 1000
            const [found, scores] = await Promise.all([
                history(this.patient, from, before, range.stepS),
                scoreHistory(this.patient, from, before, range.stepS),
            ])
            if (range !== this.range) return // another one was chosen meanwhile
            for (const [i, { vital }] of curveKinds.entries()) this.vitalFigures[i]!.chart.curve.load(found[vital.name])
            this.scoreFigure.chart.curve.load(scores)
            for (const chart of this.charts) chart.changed()
            setText(this.problem, "")
            this.update(now())
        } catch (error) {
            setText(this.problem, t.patient.historyFailed((error as Error).message))
        }
    }

    /** Limits and alarms, which a chart can do without. */
    private async loadMarks(): Promise<void> {
        const [mote] = this.model.patient(this.patient)?.motes ?? []
        const [config, alarms] = await Promise.all([
            mote === undefined ? undefined : moteConfig(mote).catch(() => undefined),
            alarmsOf(this.patient).catch(() => []),
        ])
        const settings = config && (config.inForce.settings ?? config.settings)
        this.marks = new Map(curveKinds.map(({ vital: { name } }) => [name, marksOf(name, settings, alarms)]))
        this.showMarks()
    }

    private showMarks(): void {
        const notes = this.noted
        for (const chart of this.charts) chart.setMarks({ ...(this.marks.get(chart.curve.name) ?? noMarks), notes })
        this.update(now())
    }

    private rangeChoice(): HTMLElement {
        const choice = h("fieldset", { class: "ranges" }, h("legend", {}, t.chart.timeShown))
        for (const span of Object.keys(spans) as SpanName[]) {
            const input = h("input", { type: "radio", name: `range-${this.patient}` })
            input.addEventListener("change", () => this.change(rangeOf(spans[span], null)))
            this.inputs.set(span, input)
            choice.append(h("label", {}, input, h("span", {}, t.chart.range[span])))
        }
        const button = (label: string, text: string, work: () => ChartRange) => {
            const element = h("button", { type: "button", class: "quiet", "aria-label": label }, text)
            element.addEventListener("click", () => this.change(work()))
            return element
        }
        this.toNow.addEventListener("click", () => this.change(rangeOf(this.range.ms, null)))
        const print = h("button", { type: "button", class: "quiet" }, t.log.print)
        print.addEventListener("click", () => window.print())
        const csv = new CsvLink(this.title, () => this.charts)
        const tools = h(
            "div",
            { class: "chart-tools" },
            button(t.chart.earlier, "◀", () => panned(this.range, -0.5, now())),
            button(t.chart.later, "▶", () => panned(this.range, 0.5, now())),
            button(t.chart.closer, "+", () => zoomed(this.range, 0.5, 1, now())),
            button(t.chart.wider, "−", () => zoomed(this.range, 2, 1, now())),
            ...[this.toNow, print, csv.element, this.companion()],
        )
        return h("div", { class: "chart-bar" }, choice, tools)
    }

    /** Somebody else beside this patient. */
    private companion(): HTMLElement {
        const select = h("select", { "aria-label": t.patient.beside }, h("option", { value: "" }, t.patient.beside))
        for (const { id } of this.model.all())
            if (id !== this.patient) select.append(h("option", { value: String(id) }, this.model.name(id)))
        select.addEventListener("change", () => {
            if (select.value !== "") location.hash = `#/patients/${this.patient}+${select.value}`
        })
        return select
    }
}
