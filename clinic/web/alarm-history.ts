import { EntriesRow } from "./alarm-entries.ts"
import { alarmText } from "./alarm-text.ts"
import { alarmsOf, type Alarm } from "./api.ts"
import { now } from "./clock.ts"
import { h, setText } from "../../browser/dom.ts"
import { about, dateTime, duration } from "./format.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"
import type { WardModel } from "./model.ts"

const columns = () => [t.history.alarm, t.history.began, t.history.lasted, t.history.acknowledged]
/** So many are shown at first. */
const fewest = 10
/** After a failure it is tried again so long after. */
const retryMs = 10_000

/** Every alarm of a patient that the clinic still knows, the newest first, and who has acknowledged it. */
export class AlarmHistory {
    readonly element = h("section", { class: "alarm-history" })
    private readonly model: WardModel
    private readonly patient: number
    private readonly rows = h("tbody")
    private readonly state = h("p", { class: "alarm-history-state", role: "status" })
    private readonly more = h("button", { type: "button", class: "quiet" }, t.history.all)
    private alarms: Alarm[] = []
    private isWhole = false
    /** What was open when this was last asked for: all that happens to an alarm shows there, too. */
    private asked: string | undefined
    private failedAt = -Infinity

    constructor(model: WardModel, patient: number) {
        this.model = model
        this.patient = patient
        this.more.addEventListener("click", () => {
            this.isWhole = true
            this.show()
        })
        this.element.append(
            h("h2", {}, t.history.heading),
            this.state,
            h(
                "table",
                { class: "records" },
                h("thead", {}, h("tr", {}, ...columns().map(name => h("th", {}, name)))),
                this.rows,
            ),
            this.more,
        )
        this.show()
        setText(this.state, t.history.loading)
    }

    /** Asks anew where an alarm has begun, ended or been acknowledged. */
    update(): void {
        const open = JSON.stringify(this.model.alarms(this.patient))
        if (open === this.asked || performance.now() - this.failedAt < retryMs) return
        this.asked = open
        void this.load(open)
    }

    private async load(open: string): Promise<void> {
        try {
            const alarms = await alarmsOf(this.patient)
            if (open !== this.asked) return // there is a newer one under way
            this.alarms = alarms.sort((a, b) => beganAt(b) - beganAt(a) || b.id - a.id)
            this.show()
        } catch (error) {
            setText(this.state, t.history.failed((error as Error).message))
            this.failedAt = performance.now()
            this.asked = undefined
        }
    }

    private show(): void {
        const shown = this.isWhole ? this.alarms : this.alarms.slice(0, fewest)
        setText(this.state, shown.length > 0 ? "" : t.history.none)
        this.rows.replaceChildren(...shown.flatMap(row))
        this.more.hidden = shown.length === this.alarms.length
    }
}

/** Some are told late, and some have a time that cannot be. */
function beganAt({ raisedAt, storedAt }: Alarm): number {
    return Math.min(raisedAt, storedAt, now())
}

function row(alarm: Alarm): HTMLElement[] {
    const { raisedAt, raisedAbout, clearedAt, clearedAbout, acknowledgedBy, acknowledgedAt } = alarm
    const lasted =
        clearedAt === null ? t.history.ongoing : about(raisedAbout || clearedAbout, duration(clearedAt - raisedAt))
    const seen = acknowledgedAt === null ? t.history.no : t.history.by(acknowledgedBy ?? "", dateTime(acknowledgedAt))
    const began = about(raisedAbout, dateTime(raisedAt))
    const cells = [alarmText(alarm), isAhead(raisedAt, now()) ? t.history.wrongTime(began) : began, lasted, seen]
    // On a narrow screen each cell says what it is.
    const names = columns()
    const element = h("tr", {}, ...cells.map((text, i) => h("td", { "data-column": names[i]! }, text)))
    const entries = new EntriesRow(alarm, names.length)
    element.lastElementChild?.append(" ", entries.button)
    return [element, entries.element]
}
