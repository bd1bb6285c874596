import { h } from "../../browser/dom.ts"

/** A table as the other pages have them. */
export function table(columns: readonly string[], body: HTMLElement): HTMLElement {
    return h(
        "table",
        { class: "records" },
        h("thead", {}, h("tr", {}, ...columns.map(name => h("th", {}, name)))),
        body,
    )
}

/** A row; on a narrow screen each cell says which it is. */
export function row(columns: readonly string[], cells: readonly (string | Node)[]): HTMLElement {
    return h("tr", {}, ...cells.map((cell, i) => h("td", { "data-column": columns[i]! }, cell)))
}
