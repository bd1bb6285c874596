/** Returns the lines of a table with aligned columns. */
export function table(head: string[], rows: string[][]): string[] {
    const widths = head.map((text, i) => Math.max(text.length, ...rows.map(row => row[i]!.length)))
    return [head, ...rows].map(row =>
        row
            .map((text, i) => text.padEnd(widths[i]!))
            .join("  ")
            .trimEnd(),
    )
}
