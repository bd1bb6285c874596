import { alarmText } from "./alarm.ts"
import type { Observation, WardPatient } from "./api.ts"
import { now } from "./clock.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { duration, liveMs } from "./format.ts"
import type { WardModel } from "./model.ts"
import { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"
import { Trend } from "./trend.ts"
import type { View } from "./view.ts"
import { heartRate, VitalView, vitalKinds } from "./vital.ts"
import { urgency } from "./urgency.ts"

/** So many histories are asked for at once. */
const maxLoading = 4
const retryMs = 3000

/** One card a patient. */
export class WardView implements View {
    readonly element = h("main", { class: "ward" })
    readonly title = t.ward.heading
    private readonly model: WardModel
    private readonly list = h("ul", { class: "cards" })
    private readonly empty = h("p", { class: "empty" }, t.ward.empty)
    private readonly cards = new Map<number, Card>()
    /** Patients whose history is still to be loaded. */
    private readonly waiting = new Set<number>()
    private loading = 0
    private readonly steady = new SteadyList(this.list)

    constructor(model: WardModel) {
        this.model = model
        const heading = h("h1", { class: "spoken", tabindex: "-1" }, t.ward.heading)
        this.element.append(heading, this.list)
    }

    update(now: number): void {
        const patients = this.model.all()
        for (const id of this.cards.keys()) if (!this.model.patient(id)) this.drop(id)
        for (const { id } of patients) if (!this.cards.has(id)) this.admit(id)
        const cards = patients.map(({ id }) => this.cards.get(id)!.element)
        this.steady.show(cards)
        if (patients.length > 0) this.empty.remove()
        else this.element.append(this.empty)
        for (const patient of patients) this.cards.get(patient.id)!.update(patient, this.model, now)
    }

    add(observation: Observation): void {
        this.cards.get(observation.patient)?.add(observation)
    }

    reload(): void {
        for (const id of this.cards.keys()) this.load(id)
    }

    close(): void {
        this.steady.close()
        for (const id of this.cards.keys()) this.drop(id)
    }

    private admit(id: number): void {
        this.cards.set(id, new Card())
        this.load(id)
    }

    private drop(id: number): void {
        this.waiting.delete(id)
        this.cards.get(id)?.close()
        this.cards.delete(id)
    }

    private load(id: number): void {
        this.waiting.add(id)
        if (this.loading < maxLoading) void this.loadWaiting()
    }

    private async loadWaiting(): Promise<void> {
        this.loading++
        for (const id of this.waiting) {
            this.waiting.delete(id)
            try {
                await this.cards.get(id)!.load(id)
            } catch {
                // The line at the bottom says it when the clinic is away; values that come are drawn all the same.
                setTimeout(() => this.cards.has(id) && this.load(id), retryMs)
            }
        }
        this.loading--
    }
}

class Card {
    readonly element = h("li")
    private readonly link = h("a", { class: "card" })
    private readonly bed = h("span", { class: "bed" })
    private readonly name = h("h2")
    private readonly contact = h("span", { class: "contact" })
    private readonly alarm = h("span", { class: "card-alarm" })
    private readonly vitals = vitalKinds.map(kind => ({
        kind,
        view: new VitalView(kind),
    }))
    private readonly trend = new Trend()

    constructor() {
        this.link.append(
            h("span", { class: "card-head" }, this.bed, this.contact),
            this.name,
            this.alarm,
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
            this.trend.element,
        )
        this.element.append(this.link)
    }

    update(patient: WardPatient, model: WardModel, now: number): void {
        this.link.setAttribute("href", `#/patients/${patient.id}`)
        setText(this.bed, patient.bed === null ? "" : t.ward.bed(patient.bed))
        setText(this.name, t.ward.name(patient.family, patient.given))
        updateContact(this.contact, model.newestTime(patient.id, now), now, patient.silentMs)
        const [worst] = model.alarms(patient.id)
        setData(this.link, "alarm", worst ? urgency(worst) : "none")
        setText(this.alarm, worst ? alarmText(worst) : "")
        for (const { kind, view } of this.vitals)
            view.update(model.newest(patient.id, kind.name), now, patient.silentMs)
        this.trend.chart.update(now)
    }

    add({ name, time, value }: Observation): void {
        if (name === heartRate.name) this.trend.chart.add(time, value)
    }

    async load(patient: number): Promise<void> {
        await this.trend.load(patient)
        this.trend.chart.update(now())
    }

    close(): void {
        this.trend.chart.close()
    }
}

/** Whether the mote is being heard at all, as often as it should. */
export function updateContact(element: HTMLElement, newest: number | undefined, now: number, silentMs: number): void {
    const ageMs = newest === undefined ? Infinity : now - newest
    const isLive = ageMs <= silentMs && !isAhead(newest!, now)
    setData(element, "state", isLive ? "live" : "silent")
    if (newest === undefined) setText(element, t.contact.none)
    else if (isAhead(newest, now)) setText(element, t.contact.wrongTime)
    else if (ageMs > silentMs) setText(element, t.contact.silent(duration(ageMs)))
    else setText(element, ageMs <= liveMs ? t.contact.live : t.contact.measured(t.age.ago(duration(ageMs))))
}
