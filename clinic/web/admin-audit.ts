import { becameOf, searchAudit, type SeenEvent } from "./audit-events.ts"
import { h, setText } from "../../browser/dom.ts"
import { Field, selectOf } from "./fields.ts"
import { dateTime } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"
import { zoned } from "./time.ts"
import { timeZone } from "./zone.ts"

const pageEvents = 100
const outcomes = ["", "4", "8"] as const

/** Who looked at and changed what: the audit record, to be searched. */
export class AuditSection {
    readonly element = h("section", { class: "panel" })
    private readonly rows = h("tbody")
    private readonly state = h("p", { class: "admin-state", role: "status" })
    private readonly more = h("button", { type: "button", class: "quiet" }, t.audit.more)
    private readonly fields = {
        patient: new Field(t.audit.patientNumber, h("input", { inputmode: "numeric", pattern: "[1-9][0-9]{0,14}" })),
        user: new Field(t.login.user, h("input", { maxlength: "100", autocomplete: "off" })),
        from: new Field(t.audit.from, h("input", { type: "date" })),
        to: new Field(t.audit.to, h("input", { type: "date" })),
        outcome: new Field(
            t.audit.outcome,
            selectOf(outcomes, code => t.audit.outcomes[code as (typeof outcomes)[number]]),
        ),
    }
    private next: string | undefined
    private asked = 0

    constructor() {
        const form = h(
            "form",
            { class: "admin-form", novalidate: "" },
            ...Object.values(this.fields).map(({ element }) => element),
            h("div", { class: "config-buttons" }, h("button", {}, t.audit.search)),
        )
        form.addEventListener("submit", event => {
            event.preventDefault()
            void this.load(false)
        })
        this.more.addEventListener("click", () => void this.load(true))
        this.element.append(
            h("h2", {}, t.audit.heading),
            h("p", { class: "config-hint" }, t.audit.hint),
            ...[form, this.state, table(columns(), this.rows)],
            h("div", { class: "config-buttons" }, this.more),
        )
        void this.load(false)
    }

    private query(): URLSearchParams {
        const { patient, user, from, to, outcome } = this.fields
        const query = [
            ["_count", String(pageEvents)],
            ["patient", patient.control.value],
            ["agent-name", user.control.value],
            ["outcome", outcome.control.value],
            ["date", from.control.value && `ge${startOfDay(from.control.value, 0)}`],
            ["date", to.control.value && `lt${startOfDay(to.control.value, 1)}`],
        ]
        return new URLSearchParams(query.map(pair => pair.map(part => part.trim())).filter(([, value]) => value !== ""))
    }

    private async load(isMore: boolean): Promise<void> {
        for (const field of Object.values(this.fields)) {
            const fault = field.fault()
            field.say(fault)
            if (fault !== "") return field.control.focus()
        }
        const asked = ++this.asked
        try {
            const query = this.query()
            if (isMore && this.next !== undefined) query.set("_cursor", this.next)
            const { events, next } = await searchAudit(query)
            if (asked !== this.asked) return
            if (!isMore) this.rows.replaceChildren()
            this.rows.append(...events.map(line))
            this.next = next
            this.more.hidden = next === undefined
            setText(this.state, this.rows.childElementCount > 0 ? "" : t.audit.none)
        } catch (error) {
            if (asked === this.asked) setText(this.state, t.admin.failed((error as Error).message))
        }
    }
}

const columns = () => Object.values(t.audit.columns)

function line(event: SeenEvent): HTMLElement {
    const { id, at, user, role, action, subject, outcome, problem, patients, from, request, isEmergency } = event
    const why = outcome === "done" || problem === null ? "" : ` (${problem})`
    const what = t.audit.what(action, subject) + becameOf(outcome, isEmergency) + why
    const element = row(columns(), [
        dateTime(at),
        user === null ? t.audit.clinic : `${user}${role === null ? "" : `, ${t.admin.role(role)}`}`,
        h("span", {}, what, ...(request === "" ? [] : [h("small", { class: "audit-request" }, request)])),
        patients.length > 0 ? patients.join(", ") : t.news2.none,
        from || t.news2.none,
        id,
    ])
    element.dataset.outcome = outcome
    return element
}

/** Midnight by the ward's clocks, so many days after `day` (`YYYY-MM-DD`), as FHIR writes it. */
function startOfDay(day: string, later: number): string {
    const at = Date.parse(`${day}T00:00:00Z`) + later * 86_400_000
    return `${new Date(at).toISOString().slice(0, 10)}T00:00:00${zoned(at, timeZone).slice(-6)}`
}
