import { alarmKinds, priorities } from "../../wire/tables/alarm-kinds.ts"
import { alarmText, courseText } from "./alarm-text.ts"
import { EntriesRow } from "./alarm-entries.ts"
import { alarmLog, alarmLogPath, type AlarmLog } from "./api.ts"
import { now } from "./clock.ts"
import { h, setText } from "../../browser/dom.ts"
import { about, dateTime, duration } from "./format.ts"
import type { WardModel } from "./model.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

const hourMs = 3_600_000
/** The shifts that are handed over, and longer ones to look back. */
const spans = { h8: 8 * hourMs, h12: 12 * hourMs, h24: 24 * hourMs, d7: 7 * 24 * hourMs, d31: 31 * 24 * hourMs }
type Span = keyof typeof spans

/** All alarms of a ward and a time, and what became of them: what one hands over. */
export class LogView implements View {
    readonly element = h("main", { class: "log" })
    readonly title = t.log.heading
    private readonly rows = h("tbody")
    private readonly state = h("p", { class: "log-state", role: "status" })
    private readonly print = h("p", { class: "printed" })
    private readonly csv = h("a", { class: "quiet-link", download: "" }, t.log.csv)
    private readonly filter = h("form", { class: "toolbar" })
    private readonly span: HTMLSelectElement
    private readonly ward: HTMLSelectElement
    private readonly kind: HTMLSelectElement
    private readonly priority: HTMLSelectElement
    private readonly by = h("input", { type: "search", placeholder: t.log.by, "aria-label": t.log.by })
    private asked = 0

    constructor(model: WardModel) {
        const names = Object.keys(alarmKinds)
        this.span = select(t.log.span, Object.keys(spans), name => t.log.spans[name as Span])
        this.ward = select(t.ward.whichWard, ["", ...model.wards()], name => name || t.ward.everyWard)
        this.kind = select(t.log.kind, ["", ...names], name => (name ? t.alarms.kind(name) : t.log.everyKind))
        this.priority = select(t.log.priority, ["", ...priorities], name =>
            name === "" ? t.log.everyPriority : t.alarms.priority[name as (typeof priorities)[number]],
        )
        const button = h("button", { type: "button", class: "quiet" }, t.log.print)
        button.addEventListener("click", () => print())
        this.filter.append(this.span, this.ward, this.kind, this.priority, this.by, button, this.csv)
        this.filter.addEventListener("change", () => void this.load())
        this.filter.addEventListener("submit", event => event.preventDefault())
        const head = h("tr", {}, ...columns().map(name => h("th", { scope: "col" }, name)))
        this.element.append(
            h("h1", { tabindex: "-1" }, t.log.heading),
            this.filter,
            this.print,
            this.state,
            h("table", { class: "records" }, h("thead", {}, head), this.rows),
        )
        void this.load()
    }

    update(): void {}
    add(): void {}

    reload(): void {
        void this.load()
    }

    close(): void {
        this.asked = -1
    }

    private query(): Record<string, string> {
        const before = Math.trunc(now()) + 1000
        const from = before - spans[this.span.value as Span]
        const wanted = {
            ward: this.ward.value,
            kind: this.kind.value,
            priority: this.priority.value,
            by: this.by.value,
        }
        const given = Object.entries(wanted).filter(([, value]) => value !== "")
        return { from: String(from), before: String(before), ...Object.fromEntries(given) }
    }

    private async load(): Promise<void> {
        const asked = ++this.asked
        const query = this.query()
        this.csv.href = alarmLogPath({ ...query, format: "csv" })
        setText(this.state, t.history.loading)
        try {
            const found = await alarmLog(query)
            if (asked === this.asked) this.show(found, query)
        } catch (error) {
            if (asked === this.asked) setText(this.state, t.history.failed((error as Error).message))
        }
    }

    private show({ alarms, isWhole }: AlarmLog, query: Record<string, string>): void {
        const seen = alarms.filter(({ firstSeenAt }) => firstSeenAt !== null).map(({ unseenMs }) => unseenMs)
        seen.sort((a, b) => a - b)
        const median = seen[Math.floor((seen.length - 1) / 2)]
        const count = t.log.count(alarms.length, alarms.length - seen.length)
        const often = median === undefined ? "" : ` ${t.log.median(duration(median))}`
        setText(this.state, count + often + (isWhole ? "" : ` ${t.log.notWhole}`))
        const period = t.log.period(dateTime(Number(query.from)), dateTime(Number(query.before)))
        setText(this.print, `${this.ward.value || t.ward.everyWard}, ${period}`)
        this.rows.replaceChildren(...alarms.flatMap(row))
    }
}

const columns = () => Object.values(t.log.columns)

function row(alarm: AlarmLog["alarms"][number]): HTMLElement[] {
    const { family, given, bed, name, raisedAt, raisedAbout, clearedAt, firstSeenBy, firstSeenAt, unseenMs } = alarm
    const who = family === null ? (name ?? t.alarms.clinic) : t.ward.name(family, given ?? "")
    const lasted = clearedAt === null ? t.history.ongoing : duration(clearedAt - raisedAt)
    const seen =
        firstSeenAt === null ? t.log.nobody : t.log.seen(firstSeenBy ?? "?", dateTime(firstSeenAt), duration(unseenMs))
    const cells = [
        about(raisedAbout, dateTime(raisedAt)),
        bed === null ? who : `${t.ward.bed(bed)} · ${who}`,
        [alarmText(alarm), courseText(alarm)].filter(Boolean).join(", "),
        t.alarms.priority[alarm.priority],
        lasted,
        seen,
    ]
    const names = columns()
    const element = h("tr", {}, ...cells.map((text, i) => h("td", { "data-column": names[i]! }, text)))
    element.dataset.priority = alarm.priority
    const entries = new EntriesRow(alarm, names.length)
    element.lastElementChild?.append(" ", entries.button)
    return [element, entries.element]
}

function select(label: string, values: readonly string[], text: (value: string) => string): HTMLSelectElement {
    return h("select", { "aria-label": label }, ...values.map(value => h("option", { value }, text(value))))
}
