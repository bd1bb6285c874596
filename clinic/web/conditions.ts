import { h } from "../../browser/dom.ts"
import type { Condition } from "./api.ts"
import { dateTime, duration } from "./format.ts"
import { t } from "./texts/language.ts"

/** What makes the whole page wrong or incomplete, above everything else on it. */
export class ConditionList {
    readonly element = h("div", { class: "conditions", role: "status" })
    current: readonly Condition[] = []
    private shown = ""

    constructor(conditions: readonly Condition[] = []) {
        this.update(conditions)
    }

    /** Nothing new is stored, and so nothing new is shown. */
    get isBlind(): boolean {
        return this.current.some(({ code }) => code === "store-full" || code === "store-failed")
    }

    update(conditions: readonly Condition[]): void {
        this.current = conditions
        const lines = conditions.map(textOf)
        if (lines.join("\n") === this.shown) return
        this.shown = lines.join("\n")
        this.element.replaceChildren(...lines.map(line => h("p", {}, line)))
    }
}

function textOf(condition: Condition): string {
    switch (condition.code) {
        case "router-clock": {
            const { router, offsetMs } = condition
            const by = duration(Math.abs(offsetMs))
            return offsetMs < 0 ? t.conditions.routerAhead(router, by) : t.conditions.routerBehind(router, by)
        }
        case "router-silent":
            return t.conditions.routerSilent(condition.router, duration(condition.silentMs))
        case "router-store-lost":
            return t.conditions.storeLost(condition.router, dateTime(condition.at))
        case "store-full":
            return t.conditions.storeFull
        case "store-failed":
            return t.conditions.storeFailed
    }
}
