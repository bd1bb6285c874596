import { h } from "../../../browser/dom.ts"
import type { Hello, LogRow, Tick } from "../messages.ts"
import { Filter } from "./filter.ts"
import { seconds } from "./format.ts"
import { LongList } from "./list.ts"
import type { Model, Part } from "./model.ts"

const maxRows = 5000

/** Log lines of the motes, and remarks of the simulator about them. */
export class LogList implements Part {
    readonly element = h("div", { class: "logs pane" })
    readonly filter: Filter
    private readonly list = new LongList<LogRow>(maxRows, row => draw(row))

    constructor(model: Model) {
        this.filter = new Filter(model, "the simulator's remarks", () => this.refilter())
        const head = h("div", { class: "columns logline" })
        for (const name of ["Time s", "Node", "Message"]) head.append(h("span", {}, name))
        this.element.append(h("div", { class: "table" }, head, this.list.element))
    }

    begin({ logs }: Hello): void {
        this.list.clear()
        this.add(logs)
    }

    tick({ logs, missed }: Tick): void {
        if (missed) this.filter.missed += missed.logs
        if (logs) this.add(logs)
    }

    selected(): void {
        if (this.filter.followsSelection) this.refilter()
    }

    shown(): void {
        this.list.due()
    }

    private add(logs: LogRow[]): void {
        this.list.add(logs)
        this.filter.count(this.list.shown, this.list.size)
    }

    private refilter(): void {
        this.list.only(({ node, text }) => {
            if (!this.filter.showsExtra && isRemark(text)) return false
            return this.filter.accepts([node], text)
        })
        this.filter.count(this.list.shown, this.list.size)
    }
}

function draw({ ms, node, text }: LogRow): HTMLElement {
    const line = h("div", { class: "logline" })
    line.append(h("span", {}, seconds(ms)), h("span", {}, String(node)))
    line.append(h("span", { title: text }, text))
    if (isRemark(text)) line.classList.add("remark")
    return line
}

function isRemark(text: string): boolean {
    return text.startsWith("— ")
}
