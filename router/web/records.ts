import { h } from "../../browser/dom.ts"
import type { Answered, Asked } from "../browser/messages.ts"
import { codeName, timeOfDay } from "./format.ts"

const kept = 50

/** What was asked since the page was opened, newest first; each can be had again. */
export class Records {
    readonly element: HTMLElement
    private readonly again: (asked: Asked, answered: Answered) => void
    private readonly list = h("ol", { class: "records" })

    /** @param again called with the request to be filled in, and the response that it had */
    constructor(again: (asked: Asked, answered: Answered) => void) {
        this.again = again
        this.element = h("section", { "aria-label": "History" }, h("h2", {}, "History"), this.list)
    }

    add(asked: Asked, answered: Answered): void {
        const button = h(
            "button",
            { type: "button" },
            h("span", {}, `${asked.method} ${asked.path}`),
            h("small", {}, `${codeName(answered.code)}, ${answered.ms} ms, ${timeOfDay(answered.at)}`),
        )
        button.addEventListener("click", () => this.again(asked, answered))
        this.list.prepend(h("li", {}, button))
        while (this.list.childElementCount > kept) this.list.lastElementChild!.remove()
    }
}
