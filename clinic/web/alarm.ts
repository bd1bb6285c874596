import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { quantities, unitText } from "../../wire/tables/quantities.ts"
import { acknowledge, type Alarm, type Session } from "./api.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { about, ago, duration, number } from "./format.ts"
import { icon } from "./icon.ts"
import type { WardModel } from "./model.ts"
import { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { isAhead } from "./time.ts"
import { urgency } from "./urgency.ts"

/** `Heart rate high 171 /min` */
export function alarmText({ kind, unit, raisedValue }: Alarm): string {
    const label = t.alarms.kind(kind)
    if (raisedValue === null || unit === null) return label
    return `${label} ${valueText(kind, unit, raisedValue)}`
}

/** `171 /min` */
function valueText(kind: string, unit: string, value: number): string {
    const { cause } = alarmKindOf(kind)
    const digits = "quantity" in cause ? quantities[cause.quantity].digits : 1
    return `${number(value, digits)} ${unitText(unit)}`.trim()
}

/** What is announced once is forgotten after so long. */
const spokenMs = 60_000

/**
 * Everything that is wrong, beside whatever else is shown: it has a place of its own, so that no alarm ever pushes anything away.
 */
export class AlarmPanel {
    readonly element = h("section", { class: "alarms", "aria-label": t.alarms.heading })
    private readonly model: WardModel
    private readonly user: Session
    private readonly items = new Map<number, AlarmItem>()
    private readonly summary = h("p", { class: "alarms-summary" })
    private readonly list = h("ul", {})
    private readonly steady = new SteadyList(this.list)
    /** Each alarm is said once by screen readers, unlike ages that go on. */
    private readonly spoken = h("div", {
        ...{ class: "spoken", role: "alert", "aria-atomic": "false", "aria-relevant": "additions" },
    })
    private readonly announced = new Set<number>()

    constructor(model: WardModel, user: Session) {
        this.model = model
        this.user = user
        this.element.append(this.summary, this.list, this.spoken)
    }

    /** @param patient whose page is open: the alarms of that one are marked */
    update(now: number, patient: number | undefined): void {
        const alarms = this.model.alarms()
        const ids = new Set(alarms.map(({ id }) => id))
        for (const [id, item] of this.items)
            if (!ids.has(id)) {
                this.items.delete(id)
                this.keepFocus(item)
            }
        const elements = alarms.map(alarm => {
            let item = this.items.get(alarm.id)
            if (!item) this.items.set(alarm.id, (item = new AlarmItem(alarm.id, this.user, this.steady)))
            item.update(alarm, this.model, now, alarm.patient === patient)
            return item.element
        })
        this.steady.show(elements)
        const unseen = alarms.filter(alarm => urgency(alarm) !== "seen")
        setText(this.summary, alarms.length === 0 ? t.alarms.none : t.alarms.count(alarms.length, unseen.length))
        setData(this.element, "worst", alarms[0] ? urgency(alarms[0]) : "none")
        this.announce(unseen)
    }

    close(): void {
        this.steady.close()
    }

    private announce(unseen: readonly Alarm[]): void {
        const ids = new Set(unseen.map(({ id }) => id))
        for (const id of this.announced) if (!ids.has(id)) this.announced.delete(id)
        for (const alarm of unseen) {
            if (this.announced.has(alarm.id)) continue
            this.announced.add(alarm.id)
            const line = h("p", {}, t.alarms.announced(alarmText(alarm), this.model.about(alarm)))
            this.spoken.append(line)
            setTimeout(() => line.remove(), spokenMs)
        }
    }

    /** Whoever works with the keyboard goes on at the next alarm, not at the top of the page. */
    private keepFocus({ element }: AlarmItem): void {
        if (!element.contains(document.activeElement)) return
        const next = element.nextElementSibling ?? element.previousElementSibling
        const target = next?.querySelector<HTMLElement>("button:not([hidden]), a") ?? this.summary
        if (target === this.summary) this.summary.tabIndex = -1
        target.focus()
    }
}

class AlarmItem {
    readonly element = h("li", { class: "alarm" })
    private readonly id: number
    private readonly steady: SteadyList
    private readonly what = h("strong", { class: "alarm-what" })
    private readonly who = h("a", { class: "alarm-who" })
    private readonly since = h("span", { class: "alarm-since" })
    private readonly seen = h("span", { class: "alarm-seen" })
    private readonly button = h("button", { class: "alarm-button", type: "button" })
    private readonly problem = h("span", { class: "problem", role: "alert" })

    constructor(id: number, user: Session, steady: SteadyList) {
        this.id = id
        this.steady = steady
        this.element.append(
            h("span", { class: "alarm-sign", "aria-hidden": "true" }, icon("warning"), icon("check")),
            h("div", { class: "alarm-text" }, this.what, this.who, this.since, this.seen),
        )
        if (user.permissions.includes("acknowledge")) this.element.append(this.button, this.problem)
        this.button.addEventListener("click", () => void this.acknowledge())
    }

    update(alarm: Alarm, model: WardModel, now: number, isOwn: boolean): void {
        setData(this.element, "urgency", urgency(alarm))
        setData(this.element, "over", String(alarm.clearedAt !== null))
        setData(this.element, "own", String(isOwn))
        const name = model.about(alarm)
        setText(this.what, alarmText(alarm))
        if (alarm.patient === null) this.who.removeAttribute("href")
        else this.who.setAttribute("href", `#/patients/${alarm.patient}`)
        setText(this.who, name)
        setText(this.since, times(alarm, now))
        const { acknowledgedBy, acknowledgedAt } = alarm
        setText(
            this.seen,
            acknowledgedBy === null || acknowledgedAt === null
                ? t.alarms.notAcknowledged
                : t.alarms.acknowledgedBy(acknowledgedBy, ago(acknowledgedAt, now)),
        )
        setText(this.button, t.alarms.acknowledgeFor(name))
        if (acknowledgedBy !== null && this.button === document.activeElement) this.who.focus()
        this.button.hidden = acknowledgedBy !== null
    }

    private async acknowledge(): Promise<void> {
        if (!this.steady.takesClick(this.element) || this.button.ariaDisabled === "true") return
        // Not `disabled`: a button that is loses the focus.
        this.button.ariaDisabled = "true"
        try {
            await acknowledge(this.id)
            setText(this.problem, "")
        } catch (error) {
            setText(this.problem, t.alarms.failed((error as Error).message))
        } finally {
            this.button.ariaDisabled = "false"
        }
    }
}

function times({ raisedAt, raisedAbout, clearedAt, clearedAbout }: Alarm, now: number): string {
    if (clearedAt === null) {
        if (isAhead(raisedAt, now)) return t.vital.wrongTime(ago(raisedAt, now))
        return t.alarms.lasting(about(raisedAbout, duration(now - raisedAt)))
    }
    const over = about(clearedAbout, ago(clearedAt, now))
    if (clearedAt < raisedAt) return t.alarms.over(over)
    return t.alarms.overLasted(over, about(raisedAbout, duration(clearedAt - raisedAt)))
}
