import { AdminForm, rowButton } from "./admin-form.ts"
import {
    confirmErasure,
    erasures,
    holdPatient,
    holds,
    liftHold,
    retention,
    setRetention,
    type Erasure,
    type LegalHold,
    type Retention,
} from "./api.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, numberInput } from "./fields.ts"
import { dateTime, setting } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const leastDays = 2
const mostDays = 36_500
const kinds = ["envelopes", "readings", "minutes", "hours"] as const

/** How long what is kept, for whom nothing is removed, and who is to be erased. Patients are numbers here. */
export class RetentionSection {
    readonly element = h("section", { class: "panel" })
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly rules = h("tbody")
    private readonly holds = h("tbody")
    private readonly erasures = h("tbody")

    constructor() {
        const texts = t.retention
        this.element.append(
            h("h2", {}, texts.heading),
            h("p", { class: "config-hint" }, texts.hint),
            ...[this.state, table(ruleColumns(), this.rules), this.ruleForm(), h("h2", {}, texts.holds)],
            h("p", { class: "config-hint" }, texts.holdsHint),
            ...[table(holdColumns(), this.holds), this.holdForm(), h("h2", {}, texts.erasures)],
            h("p", { class: "config-hint" }, texts.erasuresHint),
            table(erasureColumns(), this.erasures),
        )
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            const [kept, held, erased] = [await retention(), await holds(), await erasures()]
            const { finishedAt } = kept
            setText(this.state, finishedAt === null ? t.retention.never : t.retention.done(dateTime(finishedAt)))
            this.rules.replaceChildren(...kept.rules.map(ruleRow))
            this.holds.replaceChildren(...held.map(hold => this.holdRow(hold)))
            this.erasures.replaceChildren(...erased.map(erasure => this.erasureRow(erasure)))
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }

    private ruleForm(): HTMLElement {
        const days = (name: string) => new Field(name, numberInput(leastDays, mostDays, "", false))
        const ward = new Field(t.retention.ward, h("input", { maxlength: "50", autocomplete: "off" }))
        const fields = {
            ...{ envelopes: days(t.retention.column.envelopes), readings: days(t.retention.column.readings) },
            ...{ minutes: days(t.retention.column.minutes), hours: days(t.retention.column.hours) },
        }
        const { element } = new AdminForm(
            { ward, ...fields },
            {
                button: t.admin.save,
                send: async () => {
                    const of = (kind: (typeof kinds)[number]) => {
                        const { value } = fields[kind].control
                        return value === "" ? null : Number(value)
                    }
                    const periods = { envelopes: of("envelopes"), readings: of("readings") }
                    const name = ward.control.value.trim()
                    await setRetention({
                        ...{ ward: name === "" ? null : name, ...periods, minutes: of("minutes"), hours: of("hours") },
                    })
                    await this.load()
                    return t.retention.saved
                },
            },
        )
        return element
    }

    private holdForm(): HTMLElement {
        const patient = new Field(
            t.audit.patientNumber,
            h("input", { inputmode: "numeric", pattern: "[1-9][0-9]{0,14}" }),
        )
        const reason = new Field(t.retention.reason, h("input", { maxlength: "500", autocomplete: "off" }))
        patient.control.required = reason.control.required = true
        const { element } = new AdminForm(
            { patient, reason },
            {
                button: t.retention.hold,
                places: { "not-found": "patient" },
                send: async () => {
                    await holdPatient(Number(patient.control.value), reason.control.value)
                    await this.load()
                    return t.retention.held(patient.control.value)
                },
            },
        )
        return element
    }

    private holdRow(hold: LegalHold): HTMLElement {
        const { id, patient, reason, author, madeAt, liftedAt, liftedBy } = hold
        const lift = () => this.tried(t.retention.liftSure(String(patient)), () => liftHold(patient, id))
        const end =
            liftedAt === null || liftedBy === null
                ? rowButton(t.retention.lift, String(patient), lift)
                : t.retention.by(dateTime(liftedAt), liftedBy)
        return row(holdColumns(), [String(patient), reason, t.retention.by(dateTime(madeAt), author), end])
    }

    private erasureRow(erasure: Erasure): HTMLElement {
        const { patient, reason, askedBy, askedAt, confirmedBy, confirmedAt, finishedAt } = erasure
        const erase = () => this.tried(t.retention.eraseSure(String(patient)), () => confirmErasure(patient))
        const confirmed =
            confirmedAt === null || confirmedBy === null
                ? rowButton(t.retention.erase, String(patient), erase)
                : t.retention.by(dateTime(confirmedAt), confirmedBy)
        const finished = finishedAt === null ? "–" : dateTime(finishedAt)
        const asked = t.retention.by(dateTime(askedAt), askedBy)
        return row(erasureColumns(), [String(patient), reason, asked, confirmed, finished])
    }

    private async tried(question: string, work: () => Promise<void>): Promise<void> {
        if (!confirm(question)) return
        try {
            await work()
            await this.load()
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }
}

const ruleColumns = () => Object.values(t.retention.column)
const holdColumns = () => Object.values(t.retention.holdColumn)
const erasureColumns = () => Object.values(t.retention.erasureColumn)

function ruleRow({ ward, periods, author, madeAt }: Retention["rules"][number]): HTMLElement {
    const days = (kind: (typeof kinds)[number]) => {
        if (periods === null) return ward === null ? t.retention.forGood : t.retention.asHospital
        const value = periods[kind]
        return value === null ? t.retention.forGood : t.retention.days(setting(value))
    }
    const by = madeAt === null || author === null ? "–" : t.retention.by(dateTime(madeAt), author)
    return row(ruleColumns(), [ward ?? t.retention.hospital, ...kinds.map(days), by])
}
