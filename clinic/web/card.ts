import type { WardPatient } from "./api.ts"
import { alarmText } from "./alarm-text.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { duration, liveMs } from "./format.ts"
import type { WardModel } from "./model.ts"
import type { Series } from "./series.ts"
import { Sparkline } from "./sparkline.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"
import { trendMs } from "./trends.ts"
import { urgency } from "./urgency.ts"
import { VitalView, vitalKinds } from "./vital.ts"

/** One patient among many: newest values, the last minutes, the worst alarm. */
export class Card {
    readonly element = h("li", { class: "card-place" })
    private readonly link = h("a", { class: "card" })
    private readonly bed = h("span", { class: "bed" })
    private readonly name = h("h3")
    private readonly contact = h("span", { class: "contact" })
    private readonly alarm = h("span", { class: "card-alarm" })
    private readonly vitals = vitalKinds.map(kind => ({ kind, view: new VitalView(kind) }))
    private readonly sparkline = new Sparkline()

    constructor() {
        this.link.append(
            h("span", { class: "card-head" }, this.bed, this.contact),
            this.name,
            this.alarm,
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
            this.sparkline.element,
        )
        this.element.append(this.link)
    }

    /** Who it is, which search and screen readers want to know of every card. */
    identify(patient: WardPatient): void {
        const href = `#/patients/${patient.id}`
        if (this.link.getAttribute("href") !== href) this.link.setAttribute("href", href)
        setText(this.bed, patient.bed === null ? "" : t.ward.bed(patient.bed))
        setText(this.name, t.ward.name(patient.family, patient.given))
    }

    update(patient: WardPatient, model: WardModel, series: Series, now: number): void {
        updateContact(this.contact, model.newestTime(patient.id, now), now, patient.silentMs)
        const [worst] = model.alarms(patient.id)
        setData(this.link, "alarm", worst ? urgency(worst) : "none")
        setText(this.alarm, worst ? alarmText(worst) : "")
        for (const { kind, view } of this.vitals)
            view.update(model.newest(patient.id, kind.name), now, patient.silentMs)
        this.sparkline.draw(series, trendMs, now)
    }
}

/** Whether the mote is being heard at all, as often as it should. */
export function updateContact(element: HTMLElement, newest: number | undefined, now: number, silentMs: number): void {
    const { state, text } = contactOf(newest, now, silentMs)
    setData(element, "state", state)
    setText(element, text)
}

export function contactOf(newest: number | undefined, now: number, silentMs: number): { state: string; text: string } {
    if (newest === undefined) return { state: "silent", text: t.contact.none }
    const ageMs = now - newest
    if (isAhead(newest, now)) return { state: "silent", text: t.contact.wrongTime }
    if (ageMs > silentMs) return { state: "silent", text: t.contact.silent(duration(ageMs)) }
    return { state: "live", text: ageMs <= liveMs ? t.contact.live : t.contact.measured(t.age.ago(duration(ageMs))) }
}
