import { h, setText } from "../../../browser/dom.ts"
import type { Hello, NodeView, Tick } from "../messages.ts"
import { nameOf } from "./format.ts"
import type { Model, Part } from "./model.ts"

/** The scenario, and a table of all motes. */
export class Overview implements Part {
    readonly element = h("div", { class: "overview" })
    private readonly model: Model
    private readonly title = h("h2")
    private readonly about = h("p", { class: "about" })
    private readonly facts = h("p", { class: "dim" })
    private readonly joined = h("p", { class: "joined" })
    private readonly rows = h("tbody")

    constructor(model: Model) {
        this.model = model
        const head = h("tr", {}, ...["", "Hops", "Parent", "ETX", "♥", "°C"].map(text => h("th", {}, text)))
        const table = h("table", { class: "motes" }, h("thead", {}, head), this.rows)
        this.rows.addEventListener("click", ({ target }) => {
            const id = (target as Element).closest("tr")?.dataset["id"]
            if (id !== undefined) model.select(Number(id))
        })
        this.element.append(this.title, this.about, this.facts, this.joined, table)
    }

    begin({ title, about, seed, mode }: Hello): void {
        setText(this.title, title)
        setText(this.about, about.trim())
        setText(this.facts, `RPL in ${mode} mode, seed ${seed}`)
        this.draw()
    }

    tick({ nodes }: Tick): void {
        if (nodes) this.draw()
    }

    private draw(): void {
        const all = [...this.model.nodes.values()]
        const motes = all.filter(({ kind }) => kind === "mote")
        const joined = motes.filter(({ hops, isOn }) => isOn && hops !== undefined)
        const off = motes.filter(({ isOn }) => !isOn).length
        const rest = off ? `, ${off} off` : ""
        setText(this.joined, `${joined.length} of ${motes.length} motes joined${rest}`)
        this.rows.replaceChildren(...all.map(node => rowOf(node)))
    }
}

function rowOf(node: NodeView): HTMLElement {
    const { id, isOn, hops, parent, etx, vitals } = node
    const value = (name: string, digits: number) => vitals[name]?.value.toFixed(digits) ?? ""
    const cells = isOn
        ? [
              hops === undefined ? "–" : String(hops),
              parent === undefined ? "" : String(parent),
              etx?.toFixed(2) ?? "",
              value("hr", 0),
              value("temp", 1),
          ]
        : ["off", "", "", "", ""]
    const button = h("button", { class: "link" }, nameOf(node))
    const row = h("tr", { "data-id": String(id) }, h("td", {}, button))
    row.append(...cells.map(cell => h("td", {}, cell)))
    if (!isOn) row.classList.add("off")
    return row
}
