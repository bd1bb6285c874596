import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** An address that leads nowhere says so, and what to do. */
export class UnknownView implements View {
    readonly element: HTMLElement
    readonly title: string

    /** @param link to what may help */
    constructor(title: string, hint = "", link?: HTMLElement) {
        this.title = title
        const back = h("a", { class: "back", href: "#/" }, t.patient.back)
        const heading = h("h1", { tabindex: "-1" }, title)
        this.element = h("main", { class: "unknown" }, heading, h("p", {}, hint), ...(link ? [link] : []), back)
    }

    update(): void {}
    add(): void {}
    reload(): void {}
    close(): void {}
}
