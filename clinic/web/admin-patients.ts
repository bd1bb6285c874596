import { admit, changePatient, discharge, patients, type Patient, type PatientBody } from "./api.ts"
import { AdminForm, rowButton } from "./admin-form.ts"
import type { Session } from "./api.ts"
import { asking } from "./asking.ts"
import type { Double } from "../people/doubles.ts"
import type { Problem } from "../../wire/tables/problems.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { calendarDay } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const genders = ["female", "male", "other", "unknown"] as const

/** Admit, change or move, and discharge patients. */
export class PatientsSection {
    readonly element = h("div")
    private readonly changed: () => void
    private readonly rows = h("tbody")
    private readonly heading = h("h2", {}, t.admin.admit)
    private readonly cancel = h("button", { type: "button", class: "quiet" }, t.admin.cancel)
    private readonly wards = h("datalist", { id: "admin-wards" })
    private readonly fields = {
        family: textField(t.admin.family, 100, true),
        given: textField(t.admin.given, 100, true),
        birthDate: new Field(t.admin.birthDate, h("input", { type: "date" })),
        gender: new Field(
            t.admin.gender,
            selectOf(["", ...genders], value => t.admin.genders(value)),
        ),
        identifier: textField(t.admin.identifier, 100),
        ward: textField(t.admin.ward, 50),
        bed: textField(t.admin.bed, 20),
    }
    private readonly form: AdminForm
    private all: readonly Patient[] = []
    /** Who is being changed; undefined: somebody new. */
    private edited: Patient | undefined

    constructor(_user: Session, changed: () => void) {
        this.changed = changed
        this.fields.ward.control.setAttribute("list", this.wards.id)
        this.form = new AdminForm(this.fields, { button: t.admin.save, send: () => this.send(), more: [this.cancel] })
        this.cancel.addEventListener("click", () => this.edit(undefined))
        this.element.append(
            h("section", { class: "panel" }, this.heading, this.form.element, this.wards),
            h("section", { class: "panel" }, h("h2", {}, t.admin.here), table(columns(), this.rows)),
        )
        this.edit(undefined)
        void this.load()
    }

    private async load(): Promise<void> {
        try {
            this.all = await patients()
        } catch (error) {
            return setText(this.form.state, t.admin.failed((error as Error).message))
        }
        const wards = [...new Set(this.all.flatMap(({ ward }) => ward ?? []))].sort()
        this.wards.replaceChildren(...wards.map(value => h("option", { value })))
        this.rows.replaceChildren(...this.all.map(patient => this.row(patient)))
    }

    private row(patient: Patient): HTMLElement {
        const name = t.ward.name(patient.family, patient.given)
        const actions = h(
            "span",
            { class: "admin-actions" },
            rowButton(t.admin.change, name, () => this.edit(patient)),
            rowButton(t.admin.discharge, name, () => this.discharge(patient)),
        )
        const who = h("a", { href: `#/patients/${patient.id}` }, name)
        const { ward, bed, birthDate, identifier } = patient
        const none = t.news2.none
        const born = birthDate === null ? none : calendarDay(birthDate)
        return row(columns(), [ward ?? none, bed ?? none, who, born, identifier ?? none, actions])
    }

    /** Fills the form with somebody's data, or empties it. */
    private edit(patient: Patient | undefined): void {
        this.edited = patient
        setText(this.heading, patient ? t.admin.changing(t.ward.name(patient.family, patient.given)) : t.admin.admit)
        this.cancel.hidden = !patient
        for (const [name, field] of Object.entries(this.fields)) {
            field.control.value = String(patient?.[name as keyof Patient] ?? "")
            field.say("")
        }
        if (patient) this.fields.family.control.focus()
    }

    private async send(): Promise<string> {
        const body = this.body()
        const name = t.ward.name(body.family, body.given)
        const { edited } = this
        const send = (confirmed: Double[]) => {
            const all = { ...body, confirmed }
            return edited ? changePatient(edited.id, all) : admit(all)
        }
        const nameOf = ({ patient }: Problem) => {
            const other = this.all.find(({ id }) => id === patient)
            return other ? t.ward.name(other.family, other.given) : t.devices.patient(String(patient))
        }
        const sent = await asking(send, {
            "patient-known": problem => t.admin.twin(nameOf(problem)),
            "bed-taken": problem => t.admin.bedTaken(body.bed ?? "", nameOf(problem)),
        })
        if (!sent) return t.admin.nothingDone
        const said = this.edited ? t.admin.changed(name) : t.admin.admitted(name)
        this.edit(undefined)
        await this.load()
        this.changed()
        return said
    }

    private body(): PatientBody {
        const value = (name: keyof typeof this.fields) => this.fields[name].control.value.trim() || null
        const gender = genders.find(each => each === value("gender")) ?? null
        return {
            ...{ family: value("family") ?? "", given: value("given") ?? "", birthDate: value("birthDate"), gender },
            ...{ identifier: value("identifier"), ward: value("ward"), bed: value("bed") },
        }
    }

    private async discharge(patient: Patient): Promise<void> {
        const name = t.ward.name(patient.family, patient.given)
        if (!confirm(t.admin.dischargeSure(name))) return
        try {
            await discharge(patient.id)
            setText(this.form.state, t.admin.discharged(name))
            if (this.edited?.id === patient.id) this.edit(undefined)
        } catch (error) {
            setText(this.form.state, t.admin.failed((error as Error).message))
        }
        await this.load()
        this.changed()
    }
}

const columns = () => Object.values(t.admin.patientColumn)

function textField(label: string, maxLength: number, isRequired = false): Field<HTMLInputElement> {
    const input = h("input", { maxlength: String(maxLength), autocomplete: "off" })
    input.required = isRequired
    return new Field(label, input)
}
