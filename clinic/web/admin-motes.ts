import { motes, patients, type Mote, type Patient, type Session } from "./api.ts"
import { MotePanel } from "./admin-mote.ts"
import { now } from "./clock.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { ago, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { canScan, scan } from "./scan.ts"
import { t } from "./texts/language.ts"

const shown = ["all", "nobody"] as const

/** All motes that are in use: on whom, and how they are heard; one of them with all that can be done. */
export class MotesSection {
    readonly element = h("div")
    private readonly changed: () => void
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rows = h("tbody")
    private readonly search = new Field(t.admin.scan, h("input", { type: "search", autocomplete: "off" }))
    private readonly filter = new Field(
        t.devices.filter,
        selectOf(shown, value => t.devices.filters[value as (typeof shown)[number]]),
    )
    private readonly panel: MotePanel | undefined
    private all: readonly Mote[] = []
    private wearers: ReadonlyMap<number, Patient> = new Map()

    /** @param kid the mote that is shown */
    constructor(_user: Session, changed: () => void, kid: string | undefined) {
        this.changed = changed
        if (kid !== undefined) {
            this.panel = new MotePanel(kid, { wearers: () => this.wearers, reload: () => this.reload() })
            this.element.append(this.panel.element)
        }
        this.search.control.addEventListener("input", () => this.found())
        this.filter.control.addEventListener("input", () => this.show())
        const camera = h("button", { type: "button", class: "quiet" }, t.devices.scan)
        camera.addEventListener("click", () => void this.scan())
        this.element.append(
            h(
                "section",
                { class: "panel" },
                h(
                    "div",
                    { class: "admin-form mote-search" },
                    this.search.element,
                    this.filter.element,
                    ...(canScan() ? [h("div", { class: "config-buttons" }, camera)] : []),
                ),
                this.state,
                table(columns(), this.rows),
            ),
        )
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            const [all, wearers] = await Promise.all([motes(), patients()])
            this.all = all
            this.wearers = new Map(wearers.map(patient => [patient.id, patient]))
            this.show()
            await this.panel?.show(all.find(({ kid }) => kid === this.panel?.kid))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private async reload(): Promise<void> {
        await this.load()
        this.changed()
    }

    /** A scanner types what a label says, which is the whole number. */
    private found(): void {
        const kid = kidIn(this.search.control.value)
        if (kid !== undefined && this.all.some(mote => mote.kid === kid)) location.hash = `#/admin/motes/${kid}`
        else this.show()
    }

    private async scan(): Promise<void> {
        setText(this.state, "")
        try {
            const kid = await scan(kidIn)
            if (kid !== undefined) location.hash = `#/admin/motes/${kid}`
        } catch (error) {
            setText(this.state, (error as Error).message)
        }
    }

    private show(): void {
        const { value } = this.search.control
        const wanted = kidIn(value) ?? value.trim().toLowerCase()
        const isShown = ({ kid, patient, revokedAt }: Mote) =>
            revokedAt === null && kid.includes(wanted) && (this.filter.control.value !== "nobody" || patient === null)
        const found = this.all.filter(isShown)
        setText(this.state, found.length > 0 ? "" : t.admin.noMote)
        this.rows.replaceChildren(...found.map(mote => this.row(mote)))
    }

    private row(mote: Mote): HTMLElement {
        const { kid, patient, newestAt, battery, missing, problems, routers, unassigned } = mote
        const wearer = patient === null ? undefined : this.wearers.get(patient)
        const name = wearer && t.ward.name(wearer.family, wearer.given)
        return row(columns(), [
            h("a", { href: `#/admin/motes/${kid}` }, h("code", {}, kid)),
            name === undefined ? t.devices.nobody : h("a", { href: `#/patients/${patient}` }, name),
            wearer?.bed ?? t.news2.none,
            newestAt === null ? t.contact.none : ago(newestAt, now()),
            battery === null ? t.news2.none : `${setting(Math.round(battery))} %`,
            setting(missing),
            problems.count === 0 ? setting(0) : t.admin.problems(setting(problems.count), problems.newest ?? ""),
            setting(unassigned.count),
            routers.join(", ") || t.news2.none,
        ])
    }
}

const columns = () => Object.values(t.admin.moteColumn)

/** A label is the address of the mote's page; its number counts, however it is written. */
function kidIn(text: string): string | undefined {
    return /(?:^|\/|\s)([0-9a-f]{16})\s*$/i.exec(text.replace(/[:-](?!\/)/g, ""))?.[1]?.toLowerCase()
}
