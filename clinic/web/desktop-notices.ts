import type { Priority } from "../../wire/tables/alarm-kinds.ts"
import { h } from "../../browser/dom.ts"
import { alarmText } from "./alarm-text.ts"
import type { Alarm } from "./api.ts"
import { keep, kept } from "./kept.ts"
import type { WardModel } from "./model.ts"
import { t } from "./texts/language.ts"
import { alarmRank, urgency } from "./urgency.ts"

/** A desktop full of them helps nobody: of more alarms at once the most urgent show. */
const maxShown = 6
/** Kept in the browser: that somebody has been told that the browser blocks notices. */
const saidKey = "desktop-notices-blocked"

/**
 * Notices of the desktop while the page is behind another window or tab: one for each alarm that nobody attends to. They may show
 * on a locked screen, so they name the bed and never the patient.
 */
export class DesktopNotices {
    /** Says once that the browser blocks them. */
    readonly element = h("div", { class: "notices-blocked", role: "status" })
    private readonly model: WardModel
    /** Open notices by their tags. */
    private readonly shown = new Map<string, Notification>()
    /** Alarms that have been shown here or on the desktop, each as urgent as it was then. */
    private told = new Map<number, Priority>()
    private readonly looked = () => {
        if (this.isInFront()) this.closeAll()
    }

    constructor(model: WardModel) {
        this.model = model
        addEventListener("focus", this.looked)
        document.addEventListener("visibilitychange", this.looked)
    }

    /** Belongs into the handler of a click: browsers ask then only. */
    async ask(): Promise<void> {
        if (!("Notification" in window)) return
        const permission = await Notification.requestPermission().catch(() => "denied" as const)
        if (permission === "denied" && kept(saidKey) === undefined) this.sayBlocked()
    }

    /** Takes what nobody attends to, and whether the page hears the clinic. */
    show(unseen: readonly Alarm[], isConnected: boolean): void {
        if (!("Notification" in window) || Notification.permission !== "granted") return
        const isInFront = this.isInFront()
        const wanted = new Set<string>()
        const told = new Map<number, Priority>()
        for (const alarm of [...unseen].sort((a, b) => alarmRank(a) - alarmRank(b))) {
            const tag = `alarm-${alarm.id}`
            const isTold = this.told.get(alarm.id) === alarm.priority
            wanted.add(tag)
            if (isInFront || isTold || this.open(tag, this.textOf(alarm), alarm)) told.set(alarm.id, alarm.priority)
        }
        this.told = told
        const cutOffTag = "cut-off"
        if (!isConnected) {
            wanted.add(cutOffTag)
            if (!isInFront && !this.shown.has(cutOffTag))
                this.open(cutOffTag, { title: t.desktop.cutOff, body: t.desktop.cutOffHint })
        }
        for (const [tag, notice] of this.shown)
            if (!wanted.has(tag)) {
                notice.close()
                this.shown.delete(tag)
            }
    }

    close(): void {
        removeEventListener("focus", this.looked)
        document.removeEventListener("visibilitychange", this.looked)
        this.closeAll()
    }

    /** False where there are too many already. */
    private open(tag: string, { title, body }: { title: string; body: string }, alarm?: Alarm): boolean {
        if (this.shown.size >= maxShown && !this.shown.has(tag)) return false
        const isUrgent = alarm === undefined || urgency(alarm) === "high"
        try {
            // The page sounds by itself, by the standard's tones.
            const notice = new Notification(title, { body, tag, silent: true, requireInteraction: isUrgent })
            notice.addEventListener("click", () => {
                window.focus()
                if (alarm && alarm.patient !== null) location.hash = `#/patients/${alarm.patient}`
                notice.close()
            })
            this.shown.set(tag, notice)
        } catch {
            // A browser of a phone has them for service workers only.
        }
        return true
    }

    private textOf(alarm: Alarm): { title: string; body: string } {
        const { patient, name, priority } = alarm
        const who = patient === null ? undefined : this.model.patient(patient)
        const bed = who?.bed ? t.ward.bed(who.bed) : t.desktop.noBed
        const where = patient === null ? (name ?? t.alarms.clinic) : [bed, who?.ward].filter(Boolean).join(", ")
        return { title: t.alarms.announced(t.alarms.priority[priority], where), body: alarmText(alarm) }
    }

    private isInFront(): boolean {
        return document.visibilityState === "visible" && document.hasFocus()
    }

    private closeAll(): void {
        for (const notice of this.shown.values()) notice.close()
        this.shown.clear()
    }

    private sayBlocked(): void {
        keep(saidKey, "said")
        const button = h("button", { type: "button", class: "quiet" }, t.desktop.understood)
        button.addEventListener("click", () => this.element.replaceChildren())
        this.element.replaceChildren(h("span", {}, t.desktop.blocked), button)
    }
}
