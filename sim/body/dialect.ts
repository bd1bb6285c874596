import { UserError } from "../../host/errors.ts"

/** How a table writes its columns and numbers. */
export interface Dialect {
    /** Undefined: there is one column. */
    delimiter: "\t" | ";" | "," | " " | undefined
    decimal: DecimalSign
}

export const decimalSigns = ["point", "comma"] as const
export type DecimalSign = (typeof decimalSigns)[number]

const isData = (line: string) => /^\s*["'[]?[+-]?[.,]?\d/.test(line)

/**
 * Detects the delimiter, and whether a comma is part of a number.
 * @param lines the first lines of the table, header included
 * @param decimal the decimal sign, if the user gave it
 * @throws UserError if a comma can mean either
 */
export function dialectOf(lines: string[], decimal: DecimalSign | undefined, name: string): Dialect {
    const rows = lines.filter(isData)
    const bare = rows.map(unquoted)
    const all = bare.join("\n")
    const comma = (delimiter: Dialect["delimiter"]): Dialect => ({
        delimiter,
        decimal: decimal ?? (rows.some(row => row.includes(",")) ? "comma" : "point"),
    })
    if (all.includes("\t")) return comma("\t")
    if (all.includes(";")) return comma(";")
    if (!all.includes(",")) {
        if (bare.some(row => /\S\s+\S/.test(row.trim()))) return comma(" ")
        return comma(undefined)
    }
    // "0,5 1,2": the delimiter is a blank that is not next to a comma.
    const isSpaced = bare.every(row => /\S\s+\S/.test(row.trim().replaceAll(/\s*,\s+|\s+,/g, ",")))
    if (isSpaced) return comma(" ")
    const divided: Dialect = { delimiter: ",", decimal: rows.some(row => /["'][^"',]*,/.test(row)) ? "comma" : "point" }
    if (decimal === "point" || bare.some(row => row.split(",").length > 2)) return divided
    const single: Dialect = { delimiter: undefined, decimal: "comma" }
    if (decimal === "comma") return single
    const [header] = lines
    if (header !== undefined && !isData(header)) return header.includes(",") ? divided : single
    if (/\.|,\s|:/.test(all) || rows.some(row => /["']/.test(row))) return divided
    if (bare.some(row => !row.includes(","))) return single
    throw new UserError(
        `${name}: line 1: is the comma in "${rows[0]!.trim().slice(0, 40)}" part of one number, or between two columns? ` +
            "Say so with --decimal comma or --decimal point",
        2,
    )
}

/** A line with its quoted fields replaced by 0. */
function unquoted(line: string): string {
    return line.replaceAll(/"[^"]*"|'[^']*'/g, "0")
}

/** The fields of a line, without surrounding blanks and quotes. */
export function fieldsOf(line: string, { delimiter }: Dialect): string[] {
    const trimmed = line.trim()
    if (delimiter === undefined) return [bareField(trimmed)]
    if (!/["']/.test(trimmed)) return (delimiter === " " ? trimmed.split(/\s+/) : line.split(delimiter)).map(bareField)
    const fields: string[] = []
    let quote = ""
    let from = 0
    for (let at = 0; at < line.length; at++) {
        const sign = line[at]!
        if (quote) quote = sign === quote ? "" : quote
        else if (sign === '"' || sign === "'") quote = sign
        else if (delimiter === " " ? /\s/.test(sign) : sign === delimiter) {
            fields.push(line.slice(from, at))
            from = at + 1
        }
    }
    fields.push(line.slice(from))
    return fields.map(bareField).filter(field => delimiter !== " " || field !== "")
}

function bareField(field: string): string {
    const trimmed = field.trim()
    return /^".*"$|^'.*'$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i

/** The number in a field. Undefined if there is none, or one such as 1e999 that JavaScript reads as infinity. */
export function numberIn(field: string, decimal: DecimalSign): number | undefined {
    if (decimal === "comma" && field.includes(".")) return undefined
    const text = decimal === "comma" ? field.replace(",", ".") : field
    if (!number.test(text)) return undefined
    const value = Number(text)
    return Number.isFinite(value) ? value : undefined
}

const clock = /^\[?(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)\]?$/
const date = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?$/

/** Seconds of `1:02:03.5`, `02:03.5` or an ISO 8601 date and time. Undefined if the field is neither. */
export function clockTimeIn(field: string): number | undefined {
    const [, hours = "0", minutes, seconds] = clock.exec(field) ?? []
    if (minutes !== undefined) return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds!.replace(",", "."))
    const [, text] = date.exec(field) ?? []
    if (text === undefined) return undefined
    const ms = Date.parse(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(" ", "T")}Z`)
    return Number.isNaN(ms) ? undefined : ms / 1000
}
