/** Comma-separated values, RFC 4180, for the programs that people open them with. */

export type Cell = string | number | null

/** What a spreadsheet would take for a formula is text. */
function cell(value: Cell): string {
    if (value === null) return ""
    if (typeof value === "number") return String(value)
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csv(rows: readonly (readonly Cell[])[]): string {
    return rows.map(row => `${row.map(cell).join(",")}\r\n`).join("")
}
