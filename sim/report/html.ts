import { escape } from "../../host/drawing/svg.ts"
import { style } from "./style.ts"

/** A self-contained page. @param body markup */
export function page(title: string, body: string[]): string {
    return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
<main>
${body.filter(part => part).join("\n")}
</main>
</html>
`
}

export function tiles(entries: [value: string, what: string][]): string {
    const all = entries.map(([value, what]) => `<div class="tile"><b>${escape(value)}</b>${escape(what)}</div>`)
    return `<div class="tiles">${all.join("")}</div>`
}

/** Content of a table cell; `type` is a class. */
export type Cell = string | number | { text: string; type: string }

/** Columns of numbers are right-aligned. */
export function table(head: string[], rows: Cell[][]): string {
    const looksNumeric = (cell: Cell | undefined) => /^[\d., –]+( %)?$/.test(String(cell))
    const isNumber = head.map((_, i) => rows.every(row => looksNumeric(row[i])))
    const cell = (tag: string, value: Cell, i: number) => {
        const type = typeof value === "object" ? value.type : isNumber[i] ? "n" : ""
        const text = typeof value === "object" ? value.text : String(value)
        return `<${tag}${type ? ` class="${type}"` : ""}>${escape(text)}</${tag}>`
    }
    const row = (tag: string, cells: Cell[]) => `<tr>${cells.map((value, i) => cell(tag, value, i)).join("")}</tr>`
    return `<div class="scroll"><table><thead>${row("th", head)}</thead><tbody>${rows
        .map(cells => row("td", cells))
        .join("\n")}</tbody></table></div>`
}

/** Empty if there is no content. */
export function section(title: string, ...content: string[]): string {
    const some = content.filter(part => part)
    return some.length ? `<section><h2>${escape(title)}</h2>${some.join("\n")}</section>` : ""
}

export function paragraph(text: string, type = ""): string {
    return `<p${type ? ` class="${type}"` : ""}>${escape(text)}</p>`
}

export function details(summary: string, content: string): string {
    return `<details><summary>${escape(summary)}</summary>${content}</details>`
}
