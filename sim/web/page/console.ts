import { h } from "../../../browser/dom.ts"
import type { Hello, Tick } from "../messages.ts"
import type { Part } from "./model.ts"

const maxLines = 500

/** What ping and traceroute print. */
export class Console implements Part {
    private readonly text = h("pre", { tabindex: "0", "aria-live": "polite" })
    readonly element = h("div", { class: "console pane" }, this.text)
    private lines: string[] = []
    /** Something was printed. */
    printed: () => void = () => {}

    begin({ console }: Hello): void {
        this.lines = []
        this.add(console)
    }

    tick({ console }: Tick): void {
        if (!console) return
        this.add(console)
        this.printed()
    }

    private add(lines: string[]): void {
        this.lines.push(...lines)
        this.lines = this.lines.slice(-maxLines)
        this.text.textContent = this.lines.join("\n") || "Select a mote and ping it; the answers come here."
        this.text.scrollTop = this.text.scrollHeight
    }
}
