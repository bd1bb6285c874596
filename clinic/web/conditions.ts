import { h } from "../../browser/dom.ts"
import type { Condition } from "./api.ts"
import { dateTime, duration } from "./format.ts"

/** What makes the whole page wrong or incomplete, above everything else on it. */
export class ConditionList {
    readonly element = h("ul", { class: "conditions", role: "status" })
    private shown = ""

    update(conditions: readonly Condition[]): void {
        const lines = conditions.map(textOf)
        if (lines.join("\n") === this.shown) return
        this.shown = lines.join("\n")
        this.element.replaceChildren(...lines.map(line => h("li", {}, line)))
    }
}

function textOf(condition: Condition): string {
    switch (condition.code) {
        case "router-clock": {
            const { router, offsetMs } = condition
            const off = `${duration(Math.abs(offsetMs))} ${offsetMs < 0 ? "ahead" : "behind"}`
            return `The clock of ${router} is ${off}. Times are corrected.`
        }
        case "router-silent":
            return `Nothing heard of ${condition.router} for ${duration(condition.silentMs)}. Its motes cannot be heard.`
        case "router-store-lost":
            return `${condition.router} lost its store on ${dateTime(condition.at)}. Readings may be missing.`
        case "store-full":
            return "The clinic's disk is full. New readings are not stored."
        case "store-failed":
            return "The clinic's database has failed. New readings are not stored."
    }
}
