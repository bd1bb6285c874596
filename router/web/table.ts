import { h } from "../../browser/dom.ts"

/** A table that scrolls by itself where it is too wide. */
export function table(head: string[], rows: string[][]): HTMLElement {
    const line = (tag: "th" | "td", row: string[]) => h("tr", {}, ...row.map(cell => h(tag, {}, cell)))
    return h(
        "div",
        { class: "table", tabindex: "0", role: "group", "aria-label": head.join(", ") },
        h("table", {}, h("thead", {}, line("th", head)), h("tbody", {}, ...rows.map(row => line("td", row)))),
    )
}
