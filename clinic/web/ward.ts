import type { Observation, WardPatient } from "./api.ts"
import { Card } from "./card.ts"
import { now } from "./clock.ts"
import { h, setText } from "../../browser/dom.ts"
import type { WardModel } from "./model.ts"
import { select, type Selection } from "./selection.ts"
import { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { onTheme } from "./theme.ts"
import { Toolbar } from "./toolbar.ts"
import { Trends } from "./trends.ts"
import type { View } from "./view.ts"
import { Visible } from "./visible.ts"

/** One card a patient, in a group a ward. */
export class WardView implements View {
    readonly element = h("main", { class: "ward" })
    readonly title = t.ward.heading
    private readonly model: WardModel
    private readonly selection: Selection
    private readonly toolbar: Toolbar
    private readonly place = h("div", { class: "groups" })
    private readonly empty = h("p", { class: "empty", role: "status" })
    private readonly groups = new Map<string, Group>()
    private readonly cards = new Map<number, Card>()
    private readonly patients = new Map<Element, number>()
    private readonly visible = new Visible(element => this.draw(this.patients.get(element)))
    private readonly trends = new Trends(() => this.update(now()))
    private readonly stopTheme = onTheme(() => this.update(now()))

    constructor(model: WardModel, selection: Selection) {
        this.model = model
        this.selection = selection
        this.toolbar = new Toolbar(selection, () => this.update(now()), { withSearch: true })
        const heading = h("h1", { class: "spoken", tabindex: "-1" }, t.ward.heading)
        this.element.append(heading, this.toolbar.element, this.place, this.empty)
    }

    update(now: number): void {
        const all = this.model.all()
        this.toolbar.showWards(this.model.wards())
        const found = select(this.model, this.selection, now)
        for (const [id, { element }] of this.cards)
            if (!this.model.patient(id)) {
                this.visible.forget(element)
                this.patients.delete(element)
                this.cards.delete(id)
            }
        this.arrange(found)
        setText(this.empty, found.length > 0 ? "" : all.length === 0 ? t.ward.empty : t.ward.nobodyFound)
        for (const { id } of found) if (this.visible.has(this.cards.get(id)!.element)) this.draw(id)
    }

    add(observation: Observation): void {
        this.trends.add(observation)
    }

    reload(): void {
        void this.trends.load()
    }

    close(): void {
        for (const group of this.groups.values()) group.steady.close()
        this.trends.close()
        this.visible.close()
        this.stopTheme()
    }

    /** Worst first goes through all wards; by bed each ward is a group of its own. */
    private arrange(found: readonly WardPatient[]): void {
        const isGrouped = this.selection.order === "bed" && this.model.wards().length > 1
        const byWard = new Map<string, WardPatient[]>()
        for (const patient of found) {
            const ward = isGrouped ? (patient.ward ?? "") : ""
            byWard.set(ward, [...(byWard.get(ward) ?? []), patient])
        }
        for (const [ward, group] of this.groups)
            if (!byWard.has(ward)) {
                group.steady.close()
                group.element.remove()
                this.groups.delete(ward)
            }
        const names = [...byWard.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
        for (const [i, ward] of names.entries()) {
            let group = this.groups.get(ward)
            if (!group) this.groups.set(ward, (group = new Group()))
            if (this.place.children[i] !== group.element)
                this.place.insertBefore(group.element, this.place.children[i] ?? null)
            const patients = byWard.get(ward)!
            group.show(
                isGrouped ? t.ward.group(ward || t.ward.noWard, patients.length) : "",
                patients.map(patient => this.card(patient)),
            )
        }
    }

    private card(patient: WardPatient): HTMLElement {
        const { id } = patient
        let card = this.cards.get(id)
        if (!card) {
            this.cards.set(id, (card = new Card()))
            this.patients.set(card.element, id)
            this.visible.watch(card.element)
        }
        card.identify(patient)
        return card.element
    }

    private draw(id: number | undefined): void {
        const patient = id === undefined ? undefined : this.model.patient(id)
        if (patient) this.cards.get(patient.id)?.update(patient, this.model, this.trends.of(patient.id), now())
    }
}

class Group {
    readonly element = h("section", { class: "group" })
    private readonly list = h("ul", { class: "cards" })
    readonly steady = new SteadyList(this.list)
    private readonly heading = h("h2")

    constructor() {
        this.element.append(this.heading, this.list)
    }

    show(heading: string, cards: HTMLElement[]): void {
        setText(this.heading, heading)
        this.heading.hidden = heading === ""
        this.steady.show(cards)
    }
}
