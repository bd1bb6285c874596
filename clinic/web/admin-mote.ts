import {
    associationsOf,
    pairMote,
    revokeMote,
    rotateMote,
    takeOffMote,
    unassignedOf,
    type Association,
    type Mote,
    type Patient,
    type Unassigned,
} from "./api.ts"
import { asking } from "./asking.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { about, dateTime, fullTime, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

/** What the panel shows is loaded by the list that it stands above. */
export interface MoteList {
    /** Everybody on the ward, by their ids. */
    wearers: () => ReadonlyMap<number, Patient>
    /** Something has changed. */
    reload: () => Promise<void>
}

/** One mote: who wears it, who wore it, and what can be done with it. */
export class MotePanel {
    readonly element = h("section", { class: "panel mote-panel" })
    readonly kid: string
    private readonly list: MoteList
    private readonly who = h("p")
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly secret = h("p", { class: "admin-token", role: "status" })
    private readonly wearer = new Field(t.devices.wearer, h("select"))
    private readonly putOn = h("button", {}, t.devices.putOn)
    private readonly form = h("form", { class: "admin-form", novalidate: "" }, this.wearer.element)
    private readonly takeOff = this.button(t.admin.takeOff, () => this.end())
    private readonly rotate = this.button(t.devices.rotate, () => this.newSecret())
    private readonly revoke = this.button(t.devices.revoke, () => this.endForGood())
    private readonly history = h("tbody")
    private readonly nobodys = h("tbody")
    private readonly nobody = h("details", { class: "mote-nobody" })
    private readonly nobodyCount = h("summary")
    private mote: Mote | undefined

    constructor(kid: string, list: MoteList) {
        this.kid = kid
        this.list = list
        this.form.append(h("div", { class: "config-buttons" }, this.putOn))
        this.form.addEventListener("submit", event => {
            event.preventDefault()
            void this.work(() => this.begin())
        })
        this.nobody.append(
            this.nobodyCount,
            h("p", { class: "config-hint" }, t.devices.nobodyHint),
            table(unassignedColumns(), this.nobodys),
        )
        this.element.append(
            h("h2", {}, t.devices.heading(kid)),
            this.who,
            this.form,
            h("p", { class: "admin-actions" }, this.takeOff, this.rotate, this.revoke),
            this.state,
            this.secret,
            h("h3", {}, t.devices.history),
            table(historyColumns(), this.history),
            this.nobody,
        )
    }

    /** `mote`: undefined where there is none of that number. */
    async show(mote: Mote | undefined): Promise<void> {
        this.mote = mote
        const wearers = this.list.wearers()
        for (const part of [this.form, this.takeOff, this.rotate, this.revoke])
            part.hidden = !mote || mote.revokedAt !== null
        this.nobody.hidden = !mote || mote.unassigned.count === 0
        setText(this.who, mote ? this.whoText(mote) : t.admin.noMote)
        if (!mote) return
        this.takeOff.hidden ||= mote.patient === null
        setText(this.nobodyCount, t.devices.nobodys(setting(mote.unassigned.count)))
        const others = [...wearers.values()].filter(({ id }) => id !== mote.patient)
        const places = new Map(others.map(patient => [String(patient.id), placeOf(patient)]))
        const chosen = this.wearer.control.value
        this.wearer.control.replaceChildren(
            ...selectOf(["", ...places.keys()], id => places.get(id) ?? t.rules.choose).children,
        )
        this.wearer.control.value = places.has(chosen) ? chosen : ""
        this.wearer.control.required = true
        try {
            const [history, { readings }] = await Promise.all([associationsOf(this.kid), unassignedOf(this.kid)])
            this.history.replaceChildren(...history.toReversed().map(each => this.historyRow(each)))
            this.nobodys.replaceChildren(...readings.map(unassignedRow))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private button(text: string, work: () => Promise<string | undefined>): HTMLButtonElement {
        const button = h("button", { type: "button", class: "quiet" }, text)
        button.addEventListener("click", () => void this.work(work))
        return button
    }

    private whoText({ patient, wornSince, revokedAt }: Mote): string {
        if (revokedAt !== null) return t.devices.revoked
        if (patient === null || wornSince === null) return t.devices.onNobody
        return t.devices.wornBy(this.nameOf(patient), fullTime(wornSince))
    }

    private nameOf(patient: number): string {
        const wearer = this.list.wearers().get(patient)
        return wearer ? t.ward.name(wearer.family, wearer.given) : t.devices.patient(String(patient))
    }

    private historyRow({ patient, beginsAt, begunBy, endsAt, endedBy, reason }: Association): HTMLElement {
        const name = this.nameOf(patient)
        return row(historyColumns(), [
            this.list.wearers().has(patient) ? h("a", { href: `#/patients/${patient}` }, name) : name,
            fullTime(beginsAt),
            begunBy ?? t.news2.none,
            endsAt === null ? t.devices.lasts : fullTime(endsAt),
            endedBy ?? t.news2.none,
            reason === null ? t.news2.none : t.devices.reason[reason],
        ])
    }

    private async begin(): Promise<string | undefined> {
        const fault = this.wearer.fault()
        this.wearer.say(fault)
        if (fault !== "") {
            this.wearer.control.focus()
            return ""
        }
        const patient = Number(this.wearer.control.value)
        const paired = await asking(confirmed => pairMote(this.kid, patient, confirmed), {
            "mote-in-use": ({ patient: other }) => t.devices.inUse(this.nameOf(other ?? 0), this.nameOf(patient)),
        })
        return paired && t.devices.isOn(this.nameOf(patient))
    }

    private async end(): Promise<string | undefined> {
        const patient = this.mote?.patient ?? null
        if (patient === null || !confirm(t.admin.takeOffSure(this.kid, this.nameOf(patient)))) return undefined
        await takeOffMote(this.kid)
        return t.admin.takenOff(this.kid)
    }

    private async newSecret(): Promise<string | undefined> {
        if (!confirm(t.devices.rotateSure(this.kid))) return undefined
        const { secret } = await rotateMote(this.kid)
        this.secret.replaceChildren(t.devices.newSecret, " ", h("code", {}, envLine("secret", secret)))
        return ""
    }

    private async endForGood(): Promise<string | undefined> {
        if (!confirm(t.devices.revokeSure(this.kid))) return undefined
        await revokeMote(this.kid)
        return t.devices.isRevoked(this.kid)
    }

    /** `what` says what was done; undefined where the user has changed their mind. */
    private async work(what: () => Promise<string | undefined>): Promise<void> {
        setText(this.state, "")
        this.secret.replaceChildren()
        try {
            const said = (await what()) ?? t.admin.nothingDone
            await this.list.reload()
            setText(this.state, said)
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }
}

const historyColumns = () => Object.values(t.devices.historyColumn)
const unassignedColumns = () => Object.values(t.devices.nobodyColumn)

function unassignedRow({ name, value, unit, time, isAbout }: Unassigned): HTMLElement {
    const text = value === null ? t.news2.none : `${setting(value)} ${unit}`
    return row(unassignedColumns(), [about(isAbout, dateTime(time)), name, text])
}

/** Of a board's settings file. */
function envLine(name: string, value: string): string {
    return [name, JSON.stringify(value)].join("=")
}

/** As `3 West, 7: Beck, Ada`. */
function placeOf({ ward, bed, family, given }: Patient): string {
    const place = [ward, bed].filter(part => part !== null).join(", ")
    const name = t.ward.name(family, given)
    return place === "" ? name : `${place}: ${name}`
}
