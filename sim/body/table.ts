import { UserError } from "../../host/errors.ts"
import { clockTimeIn, dialectOf, fieldsOf, numberIn, type DecimalSign, type Dialect } from "./dialect.ts"

const maxRows = 20_000_000
const maxColumns = 1000
/** Number of lines from which the dialect is detected. */
const probeLines = 50
const maxHeaderLines = 2
const comment = /^\s*(#|%|\/\/)/

/** A number, or a text that is meant to be one. */
const likeNumber = /^[+-]?([\d.,]+(e[+-]?\d+)?|nan|inf(inity)?)$/i
const timeTitle = /^\W*(elapsed|time|timestamp|zeit|t|date|datetime|seconds?|secs?|s|ms|millis|milliseconds)\b/i
const countTitle = /^\W*(index|samples?|no|nr|n|)\W*$/i

/** A table of numbers, as programs export recordings: columns, an optional header, and comments. */
export class Table {
    readonly name: string
    readonly columns: number
    /** Column titles from the header; empty without one. */
    readonly titles: string[]
    private readonly dialect: Dialect
    private readonly lines: string[]
    /** Index in `lines` of each row. */
    private readonly at: number[] = []

    /** @param decimal the decimal sign, if the user gave it @throws UserError if the text is not a table */
    constructor(text: string, name: string, decimal?: DecimalSign) {
        this.name = name
        this.lines = text.trimEnd().split(/\r\n|\n|\r/, maxRows + 1)
        if (this.lines.length > maxRows) throw new UserError(`${name}: more than ${maxRows} lines`)
        this.lines.forEach((line, i) => {
            const isBlankStart = line.trim() === "" && !this.at.length
            if (!isBlankStart && !comment.test(line)) this.at.push(i)
        })
        if (!this.at.length) throw new UserError(`${name} is empty`)
        const probe = this.at.slice(0, probeLines).map(i => this.lines[i]!)
        this.dialect = dialectOf(probe, decimal, name)
        const header = this.headerLines(probe)
        this.titles = header.length ? fieldsOf(header[0]!, this.dialect) : []
        this.at.splice(0, header.length)
        const first = fieldsOf(this.lines[this.at[0]!]!, this.dialect)
        this.columns = first.length > 1 && first.at(-1) === "" ? first.length - 1 : first.length
        if (this.columns > maxColumns) throw new UserError(`${name}: more than ${maxColumns} columns`)
        if (this.titles.length && this.titles.length !== this.columns && this.titles.at(-1) !== "")
            throw this.wrong(0, `${this.columns} columns, ${this.titles.length} in the header`)
        this.titles.length = Math.min(this.titles.length, this.columns)
    }

    get rows(): number {
        return this.at.length
    }

    /** The column that a user names by title or by number from 1. @throws UserError */
    find(wanted: string): number {
        const byTitle = this.titles.findIndex(title => title.toLowerCase() === wanted.trim().toLowerCase())
        if (byTitle >= 0) return byTitle
        const number = Number(wanted)
        if (/^\d+$/.test(wanted) && number >= 1 && number <= this.columns) return number - 1
        throw new UserError(`${this.name}: no column ${wanted}: ${this.list()}`, 2)
    }

    columnNumbers(): number[] {
        return Array.from({ length: this.columns }, (_, i) => i)
    }

    /** The columns that are neither a time nor a line count. */
    signals(): number[] {
        return this.columnNumbers().filter(i => !this.isTime(i) && !this.isCount(i))
    }

    /** The first time column. */
    time(): number | undefined {
        for (let i = 0; i < this.columns; i++) if (this.isTime(i)) return i
        return undefined
    }

    /** The numbers of a column. @throws UserError that names the first line without one, and why */
    numbers(column: number): Float64Array {
        return this.values(column, field => numberIn(field, this.dialect.decimal))
    }

    /** The times of a column in the unit of its numbers, or in seconds for times of day. @throws UserError */
    times(column: number): Float64Array {
        return this.values(column, field => clockTimeIn(field) ?? numberIn(field, this.dialect.decimal))
    }

    /** For messages: `columns 1 (time), 2 (red)`. */
    list(): string {
        const names = Array.from({ length: Math.min(this.columns, 12) }, (_, i) => {
            const title = this.titles[i]
            return title ? `${i + 1} (${shown(title)})` : String(i + 1)
        })
        return `columns ${names.join(", ")}${this.columns > names.length ? ", …" : ""}`
    }

    /** An error about a row, with its line number. */
    wrong(row: number, why: string): UserError {
        return new UserError(`${this.name}: line ${this.at[row]! + 1}: ${why}`)
    }

    private values(column: number, read: (field: string) => number | undefined): Float64Array {
        const values = new Float64Array(this.rows)
        for (let row = 0; row < values.length; row++) {
            const line = this.lines[this.at[row]!]!
            if (line.trim() === "") throw this.wrong(row, "empty line")
            const fields = fieldsOf(line, this.dialect)
            const isCut = fields.length === this.columns + 1 && fields.at(-1) === ""
            if (fields.length !== this.columns && !isCut)
                throw this.wrong(row, `${count(fields.length)}, ${this.columns} in the first line`)
            const field = fields[column]!
            const value = read(field)
            if (value === undefined) throw this.wrong(row, this.whyNot(field, column))
            values[row] = value
        }
        return values
    }

    private whyNot(field: string, column: number): string {
        const title = this.titles[column]
        const place = this.columns === 1 ? "" : ` in column ${column + 1}${title ? ` (${shown(title)})` : ""}`
        return field === "" ? `empty field${place}: a number expected` : `"${shown(field)}"${place} is not a number`
    }

    private isTime(column: number): boolean {
        const title = this.titles[column]
        if (title !== undefined && timeTitle.test(title)) return true
        return clockTimeIn(this.field(0, column)) !== undefined
    }

    /** Whether the column counts lines, or is a time without a title: the numbers rise in equal steps. */
    private isCount(column: number): boolean {
        const title = this.titles[column]
        if (title !== undefined) return countTitle.test(title)
        const size = Math.min(this.rows, probeLines)
        const numbers = Array.from({ length: size }, (_, row) =>
            numberIn(this.field(row, column), this.dialect.decimal),
        )
        const steps = numbers.slice(1).map((value, i) => value! - numbers[i]!)
        return steps.length > 1 && steps.every(step => step > 0 && Math.abs(step / steps[0]! - 1) < 0.01)
    }

    private field(row: number, column: number): string {
        return fieldsOf(this.lines[this.at[row]!]!, this.dialect)[column] ?? ""
    }

    /** The first lines without a number: titles, with their units below. */
    private headerLines(probe: string[]): string[] {
        const isWords = (line: string) => fieldsOf(line, this.dialect).every(field => this.isWord(field))
        let size = 0
        while (size < maxHeaderLines && size + 1 < probe.length && isWords(probe[size]!)) size++
        return probe.slice(0, size)
    }

    private isWord(field: string): boolean {
        if (field === "") return true
        const isNumeric = likeNumber.test(field) || clockTimeIn(field) !== undefined
        return /[\p{L}#]/u.test(field) && !isNumeric
    }
}

function count(columns: number): string {
    return columns === 1 ? "1 column" : `${columns} columns`
}

/** Untrusted text on one line, without control characters. */
function shown(text: string): string {
    const plain = text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "�")
    return plain.length > 40 ? `${plain.slice(0, 40)}…` : plain
}
