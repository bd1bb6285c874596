import { alarmHistory, type Alarm, type AlarmEntry } from "./api.ts"
import { alarmText } from "./alarm-text.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime } from "./format.ts"
import { t } from "./texts/language.ts"

/** What happened to an alarm, below its row when it is asked for: who did what, and who was told. */
export class EntriesRow {
    readonly button = h("button", { type: "button", class: "quiet small", "aria-expanded": "false" }, t.entries.show)
    readonly element = h("tr", { class: "entries" })
    private readonly list = h("ol")
    private readonly id: number

    constructor(alarm: Alarm, columns: number) {
        this.id = alarm.id
        this.element.hidden = true
        this.element.append(h("td", { colspan: String(columns) }, this.list))
        this.button.setAttribute("aria-label", t.entries.showOf(alarmText(alarm)))
        this.button.addEventListener("click", () => void this.toggle())
    }

    private async toggle(): Promise<void> {
        const isOpen = this.element.hidden
        this.element.hidden = !isOpen
        this.button.ariaExpanded = String(isOpen)
        if (!isOpen) return
        try {
            const entries = await alarmHistory(this.id)
            this.list.replaceChildren(...entries.map(entry => h("li", {}, entryText(entry))))
        } catch (error) {
            this.list.replaceChildren(h("li", {}, ""))
            setText(this.list.firstElementChild!, t.history.failed((error as Error).message))
        }
    }
}

function entryText({ at, change, by, level, told, failure }: AlarmEntry): string {
    const what = t.entries.change(change, {
        by: by ?? "",
        level: String(level),
        told: (told ?? "").split(", ").map(t.alarms.receiver).join(", "),
        failure: failure ?? "",
    })
    return `${dateTime(at)} · ${what}`
}
