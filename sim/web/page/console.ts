import { h } from "../../../browser/dom.ts"
import type { Hello, Tick } from "../messages.ts"
import type { Part } from "./model.ts"

const maxLines = 500

/** The output of ping and traceroute. */
export class Console implements Part {
    private readonly text = h("pre", { tabindex: "0", "aria-live": "polite" })
    readonly element = h("div", { class: "console pane" }, this.text)
    private lines: string[] = []
    /** Called after output was added. */
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
        this.text.textContent = this.lines.join("\n") || "Select a mote and ping it; the output appears here."
        this.text.scrollTop = this.text.scrollHeight
    }
}
