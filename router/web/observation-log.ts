import { h, setText } from "../../browser/dom.ts"
import type { Answered, ShownLink } from "../browser/messages.ts"
import { observe } from "./api.ts"
import { responseView } from "./response-view.ts"

const kept = 100

/** One observation: what came, newest first, until it is stopped or ends. */
export class ObservationLog {
    readonly element: HTMLElement
    private readonly status = h("p", { class: "dim", role: "status" })
    private readonly list = h("ol", { class: "log", tabindex: "0", "aria-label": "Notifications" })
    private count = 0

    constructor(path: string, follow: (link: ShownLink) => void) {
        const stop = h("button", { type: "button" }, "Stop observing")
        this.element = h("div", { class: "observation" }, h("div", { class: "row" }, this.status, stop), this.list)
        setText(this.status, `Observing ${path} …`)
        const add = (answered: Answered) => {
            this.list.prepend(h("li", {}, responseView(answered, follow)))
            while (this.list.childElementCount > kept) this.list.lastElementChild!.remove()
        }
        const cancel = observe(path, {
            first: add,
            notified: answered => {
                add(answered)
                this.count++
                const noun = this.count === 1 ? "notification" : "notifications"
                setText(this.status, `Observing ${path}: ${this.count} ${noun}`)
            },
            over: why => {
                setText(this.status, `${this.count} of ${path}, over: ${why}.`)
                stop.remove()
            },
        })
        stop.addEventListener("click", cancel)
        this.stop = cancel
    }

    readonly stop: () => void
}
