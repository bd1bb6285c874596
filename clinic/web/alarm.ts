import { priorities } from "../../wire/tables/alarm-kinds.ts"
import type { Alarm, Session } from "./api.ts"
import { AlarmItem } from "./alarm-item.ts"
import { alarmText } from "./alarm-text.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import type { WardModel } from "./model.ts"
import { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { urgency } from "./urgency.ts"

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
    /** With the priority that was said: one that becomes more urgent is news. */
    private readonly announced = new Map<number, Alarm["priority"]>()

    constructor(model: WardModel, user: Session) {
        this.model = model
        this.user = user
        // On a display there is nothing to press in the list, and a keyboard has to scroll it all the same.
        if (!user.permissions.includes("read")) this.list.tabIndex = 0
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
        for (const id of this.announced.keys()) if (!ids.has(id)) this.announced.delete(id)
        for (const alarm of unseen) {
            const said = this.announced.get(alarm.id)
            if (said !== undefined && priorities.indexOf(said) <= priorities.indexOf(alarm.priority)) continue
            this.announced.set(alarm.id, alarm.priority)
            const what = t.alarms.announced(t.alarms.priority[alarm.priority], alarmText(alarm))
            const line = h("p", {}, `${what}, ${this.model.about(alarm)}`)
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
