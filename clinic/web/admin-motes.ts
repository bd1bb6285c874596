import { motes, patients, revokeMote, type Mote, type Patient, type Session } from "./api.ts"
import { rowButton } from "./admin-form.ts"
import { now } from "./clock.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field } from "./fields.ts"
import { ago, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** All motes that are in use: on whom, and how they are heard; each can be taken off. A scanner types what a label says. */
export class MotesSection {
    readonly element = h("section", { class: "panel" })
    private readonly changed: () => void
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rows = h("tbody")
    private readonly search = new Field(t.admin.scan, h("input", { type: "search", autocomplete: "off" }))
    private all: readonly Mote[] = []
    private wearers = new Map<number, Patient>()

    constructor(_user: Session, changed: () => void) {
        this.changed = changed
        this.search.control.addEventListener("input", () => this.show())
        this.element.append(this.search.element, this.state, table(columns(), this.rows))
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            const [all, wearers] = await Promise.all([motes(), patients()])
            this.all = all.filter(({ revokedAt }) => revokedAt === null)
            this.wearers = new Map(wearers.map(patient => [patient.id, patient]))
            this.show()
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private show(): void {
        const wanted = labelled(this.search.control.value)
        const found = this.all.filter(({ kid }) => kid.includes(wanted))
        setText(this.state, found.length > 0 ? "" : t.admin.noMote)
        this.rows.replaceChildren(...found.map(mote => this.row(mote)))
    }

    private row(mote: Mote): HTMLElement {
        const { kid, patient, newestAt, battery, missing, problems, routers } = mote
        const wearer = patient === null ? undefined : this.wearers.get(patient)
        const name = wearer ? t.ward.name(wearer.family, wearer.given) : t.news2.none
        return row(columns(), [
            h("code", {}, kid),
            wearer ? h("a", { href: `#/patients/${patient}` }, name) : name,
            newestAt === null ? t.contact.none : ago(newestAt, now()),
            battery === null ? t.news2.none : `${setting(Math.round(battery))} %`,
            setting(missing),
            problems.count === 0 ? setting(0) : t.admin.problems(setting(problems.count), problems.newest ?? ""),
            routers.join(", ") || t.news2.none,
            rowButton(t.admin.takeOff, kid, () => this.takeOff(kid, name)),
        ])
    }

    private async takeOff(kid: string, name: string): Promise<void> {
        if (!confirm(t.admin.takeOffSure(kid, name))) return
        try {
            await revokeMote(kid)
            await this.load()
            setText(this.state, t.admin.takenOff(kid))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
        this.changed()
    }
}

const columns = () => Object.values(t.admin.moteColumn)

/** A label is the address of the mote's page; its number counts, however it is written. */
function labelled(text: string): string {
    const [, kid] = /([0-9a-f]{16})\s*$/i.exec(text.replace(/[:-]/g, "")) ?? []
    return (kid ?? text.trim()).toLowerCase()
}
