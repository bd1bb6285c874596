import { h, setText } from "../../../browser/dom.ts"
import type { Model } from "./model.ts"

/** Filters a list by node, by words, and by whether its most frequent rows are shown. */
export class Filter {
    readonly element = h("div", { class: "filter" })
    missed = 0
    private readonly model: Model
    private readonly node = h("input", {
        ...{ type: "text", size: "4", placeholder: "node", "aria-label": "Node" },
        inputmode: "numeric",
    })
    private readonly text = h("input", {
        ...{ type: "search", size: "18", placeholder: "filter", "aria-label": "Filter" },
    })
    private readonly selection = h("input", { type: "checkbox" })
    private readonly extra = h("input", { type: "checkbox" })
    private readonly counted = h("span", { class: "counted" })
    private words: string[] = []
    private number: number | undefined

    /** @param extra label of the rows that can be hidden */
    constructor(model: Model, extra: string, changed: () => void) {
        this.model = model
        this.extra.checked = true
        const read = () => {
            this.words = this.text.value.toLowerCase().split(/\s+/).filter(Boolean)
            const number = this.node.value.trim()
            this.number = number === "" ? undefined : Number(number)
            this.node.classList.toggle("wrong", Number.isNaN(this.number))
            changed()
        }
        for (const input of [this.node, this.text]) input.addEventListener("input", read)
        for (const box of [this.selection, this.extra]) box.addEventListener("change", read)
        this.element.append(
            ...[this.node, this.text],
            h("label", {}, this.selection, "selected node only"),
            h("label", {}, this.extra, extra),
            this.counted,
        )
    }

    get followsSelection(): boolean {
        return this.selection.checked
    }

    get showsExtra(): boolean {
        return this.extra.checked
    }

    accepts(nodes: (number | undefined)[], text: string): boolean {
        if (this.number !== undefined && !nodes.includes(this.number)) return false
        const { selected } = this.model
        if (this.followsSelection && selected !== undefined && !nodes.includes(selected)) return false
        if (!this.words.length) return true
        const low = text.toLowerCase()
        return this.words.every(word => low.includes(word))
    }

    count(shown: number, all: number): void {
        const missed = this.missed ? `, ${this.missed} skipped` : ""
        setText(this.counted, `${shown === all ? all : `${shown} of ${all}`}${missed}`)
    }
}
