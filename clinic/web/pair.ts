import type { Observation, Score } from "./api.ts"
import type { DetailView } from "./detail.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import type { View } from "./view.ts"

/** Two patients side by side. */
export class PairView implements View {
    readonly element = h("main", { class: "pair" })
    readonly title: string
    private readonly views: readonly DetailView[]

    constructor(views: readonly [DetailView, DetailView]) {
        this.views = views
        this.title = t.patient.pair(views[0].title, views[1].title)
        this.element.append(h("h1", { class: "spoken", tabindex: "-1" }, this.title))
        for (const { element, title } of views) {
            // Each region is there twice.
            for (const region of element.querySelectorAll("section[aria-label]"))
                region.ariaLabel = `${region.ariaLabel}, ${title}`
            this.element.append(h("section", { class: "detail" }, ...element.childNodes))
        }
    }

    update(now: number): void {
        for (const view of this.views) view.update(now)
    }

    add(observation: Observation): void {
        for (const view of this.views) view.add(observation)
    }

    showScore(score: Score): void {
        for (const view of this.views) view.showScore(score)
    }

    reload(): void {
        for (const view of this.views) view.reload()
    }

    close(): void {
        for (const view of this.views) view.close()
    }
}
