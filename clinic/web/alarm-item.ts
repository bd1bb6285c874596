import { pause, acknowledge, undo, type Alarm, type Session } from "./api.ts"
import { alarmText, courseText, escalationText, stateText, timesText } from "./alarm-text.ts"
import { h, setData, setText } from "../../browser/dom.ts"
import { icon } from "./icon.ts"
import type { WardModel } from "./model.ts"
import type { SteadyList } from "./steady.ts"
import { t } from "./texts/language.ts"
import { urgency } from "./urgency.ts"

const pauseMinutes = [2, 5, 10, 30] as const

/** One alarm: what, whose, how it stands, and what one can do about it. */
export class AlarmItem {
    readonly element = h("li", { class: "alarm" })
    private readonly id: number
    private readonly steady: SteadyList
    private readonly what = h("strong", { class: "alarm-what" })
    private readonly course = h("span", { class: "alarm-course" })
    private readonly who = h("a", { class: "alarm-who" })
    private readonly since = h("span", { class: "alarm-since" })
    private readonly state = h("span", { class: "alarm-seen" })
    private readonly escalation = h("span", { class: "alarm-escalation" })
    /** Acknowledges, then takes that back: it stays in its place, so that the focus does, too. */
    private readonly button = h("button", { class: "alarm-button", type: "button" })
    private readonly pauses = h("div", { class: "alarm-pauses", role: "group" })
    private readonly problem = h("span", { class: "problem", role: "alert" })
    private readonly mayAct: boolean
    private readonly mayRead: boolean
    private isUndo = false
    private isBusy = false
    /** For whom the buttons are said to be. */
    private named: string | undefined

    constructor(id: number, user: Session, steady: SteadyList) {
        this.id = id
        this.steady = steady
        this.mayRead = user.permissions.includes("read")
        this.mayAct = user.permissions.includes("acknowledge")
        this.element.append(
            h("span", { class: "alarm-sign", "aria-hidden": "true" }, icon("warning"), icon("check")),
            h(
                "div",
                { class: "alarm-text" },
                this.what,
                this.course,
                this.who,
                this.since,
                this.state,
                this.escalation,
            ),
        )
        if (!this.mayAct) return
        this.button.addEventListener("click", () => void this.act(() => (this.isUndo ? undo : acknowledge)(this.id)))
        this.pauses.append(h("span", { "aria-hidden": "true" }, t.alarms.pause))
        for (const minutes of pauseMinutes) {
            const button = h("button", { type: "button", "data-minutes": String(minutes) }, t.age.minutes(minutes))
            button.addEventListener("click", () => void this.act(() => pause(this.id, minutes)))
            this.pauses.append(button)
        }
        this.element.append(this.button, this.pauses, this.problem)
    }

    update(alarm: Alarm, model: WardModel, now: number, isOwn: boolean): void {
        const about = model.about(alarm)
        setData(this.element, "urgency", urgency(alarm))
        setData(this.element, "over", String(alarm.clearedAt !== null))
        setData(this.element, "own", String(isOwn))
        setText(this.what, alarmText(alarm))
        setText(this.course, courseText(alarm))
        if (alarm.patient === null || !this.mayRead) this.who.removeAttribute("href")
        else setHref(this.who, `#/patients/${alarm.patient}`)
        setText(this.who, about)
        setText(this.since, timesText(alarm, now))
        setText(this.state, stateText(alarm, now))
        setText(this.escalation, escalationText(alarm))
        if (this.mayAct) this.showActions(alarm, about, now)
    }

    private showActions({ state, undoUntil, clearedAt }: Alarm, about: string, now: number): void {
        const isSeen = state === "acknowledged" || state === "paused"
        const mayUndo = isSeen && undoUntil !== null && undoUntil > now
        this.isUndo = isSeen
        setText(this.button, isSeen ? t.alarms.undoFor(about) : t.alarms.acknowledgeFor(about))
        setData(this.button, "undo", String(isSeen))
        const isHidden = isSeen && !mayUndo
        if (isHidden && this.button === document.activeElement) this.who.focus()
        this.button.hidden = isHidden
        const hasPauses = !isSeen && clearedAt === null
        // The keys that paused are gone now; the one that takes it back is not.
        if (!hasPauses && this.pauses.contains(document.activeElement)) (isHidden ? this.who : this.button).focus()
        this.pauses.hidden = !hasPauses
        if (this.named === about) return
        this.named = about
        this.pauses.ariaLabel = t.alarms.pause
        for (const button of this.pauses.querySelectorAll("button"))
            button.ariaLabel = t.alarms.pauseFor(button.textContent ?? "", about)
    }

    private async act(work: () => Promise<Alarm>): Promise<void> {
        if (!this.steady.takesClick(this.element) || this.isBusy) return
        this.isBusy = true
        try {
            await work()
            setText(this.problem, "")
        } catch (error) {
            setText(this.problem, t.alarms.failed((error as Error).message))
        } finally {
            this.isBusy = false
        }
    }
}

/** What is written anew is laid out anew. */
function setHref(link: HTMLElement, href: string): void {
    if (link.getAttribute("href") !== href) link.setAttribute("href", href)
}
