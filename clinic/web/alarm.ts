import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { quantities, unitText } from "../../wire/tables/quantities.ts"
import { acknowledge, type Alarm, type Session } from "./api.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { ago, duration } from "./format.ts"
import { isAhead } from "./time.ts"
import type { WardModel } from "./model.ts"
import { urgency } from "./urgency.ts"

/** `Heart rate high 171 /min` */
export function alarmText({ kind, unit, raisedValue }: Alarm): string {
    const { label, cause } = alarmKindOf(kind)
    if (raisedValue === null || unit === null) return label
    const digits = "quantity" in cause ? quantities[cause.quantity].digits : 1
    return `${label} ${raisedValue.toFixed(digits)} ${unitText(unit)}`.trim()
}

/** Everything that is wrong, above everything else on the page. */
export class AlarmList {
    readonly element = h("section", { class: "alarms", "aria-label": "Alarms" })
    private readonly model: WardModel
    private readonly user: Session
    /** Of one patient only. */
    private readonly patient: number | undefined
    private readonly items = new Map<number, AlarmItem>()
    private readonly list = h("ul", {})
    /** Said by screen readers when it changes, unlike ages that go on. */
    private readonly spoken = h("p", { class: "spoken", role: "alert" })

    constructor(model: WardModel, user: Session, patient?: number) {
        this.model = model
        this.user = user
        this.patient = patient
        this.element.append(this.list, this.spoken)
    }

    update(now: number): void {
        const alarms = this.model.alarms(this.patient)
        const ids = new Set(alarms.map(({ id }) => id))
        for (const id of this.items.keys()) if (!ids.has(id)) this.items.delete(id)
        const elements = alarms.map(alarm => {
            let item = this.items.get(alarm.id)
            if (!item) this.items.set(alarm.id, (item = new AlarmItem(alarm.id, this.user)))
            item.update(alarm, this.model, now)
            return item.element
        })
        const { children } = this.list
        const isSame = elements.length === children.length && elements.every((e, i) => e === children[i])
        if (!isSame) this.list.replaceChildren(...elements)
        const unseen = alarms.filter(alarm => urgency(alarm) !== "seen")
        setText(
            this.spoken,
            unseen.map(alarm => `Alarm: ${alarmText(alarm)}, ${this.model.name(alarm.patient)}`).join(". "),
        )
    }
}

class AlarmItem {
    readonly element = h("li", { class: "alarm" })
    private readonly id: number
    private readonly what = h("strong", { class: "alarm-what" })
    private readonly who = h("a", { class: "alarm-who" })
    private readonly since = h("span", { class: "alarm-since" })
    private readonly seen = h("span", { class: "alarm-seen" })
    private readonly button = h("button", { class: "alarm-button" }, "Acknowledge")
    private readonly problem = h("span", { class: "problem", role: "alert" })

    constructor(id: number, user: Session) {
        this.id = id
        this.element.append(
            h("span", { class: "alarm-sign", "aria-hidden": "true" }),
            h("div", { class: "alarm-text" }, this.what, this.who, this.since, this.seen),
        )
        if (user.permissions.includes("acknowledge")) this.element.append(this.button, this.problem)
        this.button.addEventListener("click", () => void this.acknowledge())
    }

    update(alarm: Alarm, model: WardModel, now: number): void {
        setData(this.element, "urgency", urgency(alarm))
        setData(this.element, "over", String(alarm.clearedAt !== null))
        setText(this.what, alarmText(alarm))
        this.who.setAttribute("href", `#/patients/${alarm.patient}`)
        setText(this.who, model.name(alarm.patient))
        setText(this.since, times(alarm, now))
        const { acknowledgedBy, acknowledgedAt } = alarm
        const when = acknowledgedAt === null ? "" : `, ${ago(acknowledgedAt, now)}`
        setText(this.seen, acknowledgedBy === null ? "not acknowledged" : `✓ acknowledged by ${acknowledgedBy}${when}`)
        this.button.hidden = acknowledgedBy !== null
    }

    private async acknowledge(): Promise<void> {
        this.button.disabled = true
        try {
            await acknowledge(this.id)
            setText(this.problem, "")
        } catch (error) {
            setText(this.problem, `Not acknowledged: ${(error as Error).message}`)
        } finally {
            this.button.disabled = false
        }
    }
}

function times({ raisedAt, raisedAbout, clearedAt, clearedAbout }: Alarm, now: number): string {
    const about = (is: boolean) => (is ? "about " : "")
    const isWrong = isAhead(raisedAt, now)
    if (clearedAt === null) {
        if (isWrong) return `wrong time: ${ago(raisedAt, now)}`
        return `for ${about(raisedAbout)}${duration(now - raisedAt)}`
    }
    const lasted = clearedAt < raisedAt ? "" : `, lasted ${about(raisedAbout)}${duration(clearedAt - raisedAt)}`
    return `over ${about(clearedAbout)}${ago(clearedAt, now)}${lasted}`
}
