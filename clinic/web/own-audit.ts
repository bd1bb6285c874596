import { becameOf, searchAudit } from "./audit-events.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime } from "./format.ts"
import { row, table } from "./records.ts"
import { t } from "./texts/language.ts"

const pageEvents = 50

/** Who looked at one's own data. It is asked for when it is opened. */
export class OwnAudit {
    readonly element = h("details", { class: "own-audit" })
    private readonly rows = h("tbody")
    private readonly state = h("p", { role: "status" })
    private readonly more = h("button", { type: "button", class: "quiet" }, t.audit.more)
    private next: string | undefined

    constructor() {
        this.more.hidden = true
        this.more.addEventListener("click", () => void this.load())
        this.element.append(
            h("summary", {}, t.audit.own),
            ...[h("p", {}, t.audit.ownHint), this.state, table(columns(), this.rows), this.more],
        )
        this.element.addEventListener("toggle", () => {
            if (this.element.open && this.rows.childElementCount === 0) void this.load()
        })
    }

    private async load(): Promise<void> {
        try {
            const query = new URLSearchParams({ _count: String(pageEvents) })
            if (this.next !== undefined) query.set("_cursor", this.next)
            const { events, next } = await searchAudit(query)
            for (const { at, user, role, action, subject, outcome, isEmergency } of events) {
                const done = becameOf(outcome, isEmergency)
                const who = user === null ? t.audit.clinic : `${user}${role === null ? "" : `, ${t.admin.role(role)}`}`
                this.rows.append(row(columns(), [dateTime(at), who, t.audit.what(action, subject) + done]))
            }
            this.next = next
            this.more.hidden = next === undefined
            setText(this.state, this.rows.childElementCount > 0 ? "" : t.audit.none)
        } catch (error) {
            setText(this.state, t.admin.failed((error as Error).message))
        }
    }
}

const columns = () => [t.audit.columns.when, t.audit.columns.who, t.audit.columns.what]
