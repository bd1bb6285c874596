import { quantities, type VitalName } from "../../wire/tables/quantities.ts"
import type { Observation, WardPatient } from "./api.ts"
import { Chart } from "./chart.ts"
import { rangeOf, spans } from "./chart-range.ts"
import { history } from "./api.ts"
import { now } from "./clock.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { ago, number } from "./format.ts"
import { OwnAudit } from "./own-audit.ts"
import type { WardModel } from "./model.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"
import { describe, vitalKinds } from "./vital.ts"
import { heartRateCurve, VitalCurve } from "./vital-curve.ts"
import { urgency } from "./urgency.ts"

/** What a patient sees: the own values in plain words, and who looked at them. */
export class OwnView implements View {
    readonly element = h("main", { class: "own" })
    readonly title = t.own.heading
    readonly patient: number
    private readonly model: WardModel
    private readonly lines = vitalKinds.map(({ name }) => ({ name, element: h("p", { class: "own-line" }) }))
    private readonly alarm = h("p", { class: "own-alarm", role: "status" })
    private readonly range = rangeOf(spans.h8, null)
    private readonly chart: Chart<VitalCurve>

    constructor(patient: WardPatient, model: WardModel) {
        this.patient = patient.id
        this.model = model
        this.chart = new Chart(new VitalCurve(heartRateCurve, this.range.stepS * 1000), this.range, style => ({
            padding: [8, 8, 8, 8],
            cursor: { show: false },
            axes: [{ show: false }, { size: 46, stroke: style.getPropertyValue("--dim"), grid: { show: false } }],
        }))
        this.element.append(
            h("h1", { tabindex: "-1" }, t.own.hello(patient.given)),
            this.alarm,
            ...this.lines.map(({ element }) => element),
            h("figure", { class: "chart" }, h("figcaption", {}, t.own.curve), this.chart.element),
            h("p", { class: "own-help" }, t.own.help),
            new OwnAudit().element,
        )
        this.reload()
    }

    update(now: number): void {
        for (const { name, element } of this.lines) {
            const newest = this.model.newest(this.patient, name)
            const { state } = describe(newest, now, this.model.silentMs(this.patient))
            setData(element, "state", state)
            setText(element, sentence(name, newest, state, now))
        }
        const [worst] = this.model.alarms(this.patient)
        setData(this.alarm, "urgency", worst ? urgency(worst) : "none")
        setText(this.alarm, !worst ? "" : urgency(worst) === "seen" ? t.own.seen : t.own.told)
        this.chart.update(now)
    }

    add(observation: Observation): void {
        if (observation.patient !== this.patient || observation.name !== heartRateCurve.vital.name) return
        this.chart.curve.add(observation.time, observation.value, observation.quality)
        this.chart.changed()
    }

    reload(): void {
        const before = now() + this.range.stepS * 1000
        history(this.patient, before - this.range.ms, before, this.range.stepS).then(
            ({ hr }) => {
                this.chart.curve.load(hr)
                this.chart.changed()
            },
            () => undefined, // the line at the top says it when the clinic is away
        )
    }

    close(): void {
        this.chart.close()
    }
}

function sentence(name: VitalName, newest: Observation | undefined, state: string, now: number): string {
    if (state !== "fresh" || !newest || newest.value === null) return t.own.nothing[name]
    return t.own.value[name](number(newest.value, quantities[name].digits), ago(newest.time, now))
}
