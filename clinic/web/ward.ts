import type { WardPatient } from "./api.ts"
import { h, setData, setText } from "./dom.ts"
import { duration, staleMs } from "./format.ts"
import type { WardModel } from "./model.ts"
import type { View } from "./view.ts"
import { heartRate, temperature, VitalView } from "./vital.ts"

/** One card a patient. */
export class WardView implements View {
    readonly element = h("main", { class: "ward" })
    readonly title = "Ward"
    private readonly model: WardModel
    private readonly list = h("ul", { class: "cards" })
    private readonly empty = h("p", { class: "empty" }, "Nobody is on the ward yet.")
    private readonly cards = new Map<number, Card>()

    constructor(model: WardModel) {
        this.model = model
        this.element.append(h("h1", { class: "spoken", tabindex: "-1" }, "Ward"), this.list)
    }

    update(now: number): void {
        const patients = this.model.all()
        const cards = patients.map(patient => {
            let card = this.cards.get(patient.id)
            if (!card) this.cards.set(patient.id, (card = new Card()))
            card.update(patient, this.model, now)
            return card.element
        })
        const isSame =
            cards.length === this.list.children.length &&
            cards.every((card, i) => card === this.list.children[i])
        if (!isSame) this.list.replaceChildren(...cards)
        if (patients.length > 0) this.empty.remove()
        else this.element.append(this.empty)
    }

    add(): void {}
    reload(): void {}
    close(): void {}
}

class Card {
    readonly element = h("li")
    private readonly link = h("a", { class: "card" })
    private readonly bed = h("span", { class: "bed" })
    private readonly name = h("h2")
    private readonly contact = h("span", { class: "contact" })
    private readonly vitals = [heartRate, temperature].map(kind => ({
        kind,
        view: new VitalView(kind),
    }))

    constructor() {
        this.link.append(
            h("span", { class: "card-head" }, this.bed, this.contact),
            this.name,
            h("div", { class: "vitals" }, ...this.vitals.map(({ view }) => view.element)),
        )
        this.element.append(this.link)
    }

    update(patient: WardPatient, model: WardModel, now: number): void {
        this.link.setAttribute("href", `#/patients/${patient.id}`)
        setText(this.bed, patient.bed === null ? "" : `Bed ${patient.bed}`)
        setText(this.name, `${patient.family}, ${patient.given}`)
        updateContact(this.contact, model.newestTime(patient.id), now)
        for (const { kind, view } of this.vitals)
            view.update(model.newest(patient.id, kind.name), now)
    }
}

/** Whether the mote is being heard at all. */
export function updateContact(element: HTMLElement, newest: number | undefined, now: number): void {
    const isLive = newest !== undefined && now - newest <= staleMs
    setData(element, "state", isLive ? "live" : "silent")
    if (isLive) setText(element, "live")
    else if (newest === undefined) setText(element, "no data yet")
    else setText(element, `no data for ${duration(now - newest)}`)
}
