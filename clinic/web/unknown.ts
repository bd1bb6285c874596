import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** An address that leads nowhere says so, and what to do. */
export class UnknownView implements View {
    readonly element: HTMLElement
    readonly title: string

    constructor(title: string, hint = "") {
        this.title = title
        const back = h("a", { class: "back", href: "#/" }, t.patient.back)
        this.element = h("main", { class: "unknown" }, h("h1", { tabindex: "-1" }, title), h("p", {}, hint), back)
    }

    update(): void {}
    add(): void {}
    reload(): void {}
    close(): void {}
}
