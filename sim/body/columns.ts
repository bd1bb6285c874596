import { UserError } from "../../host/errors.ts"
import type { DecimalSign } from "./dialect.ts"
import { quantile } from "./signal.ts"
import { Table } from "./table.ts"

const minRateHz = 10
const maxRateHz = 10_000
const minSeconds = 2
/** Maximum relative difference between the user's rate and that of the time column. */
const rateTolerance = 0.02
/** A step longer than this many median steps means that samples are missing. */
const gapSteps = 2.5
/** Larger values are Unix times in milliseconds or microseconds, whatever their column is called. */
const unixMs = 1e11
const unixUs = 1e14

export interface ColumnsOptions {
    /** Name in messages, such as the file name. */
    name: string
    /** Number of columns that make the signal. */
    size: number
    /** What the columns are, for messages. */
    what: string
    /** Samples per second. Default: from the time column. */
    rate?: number | undefined
    /** Samples per second if neither `rate` nor a time column is there. */
    defaultRate?: number | undefined
    /** Titles or numbers of the columns, as many as `size`. Absent: the file has no others. */
    chosen?: string[] | undefined
    decimal?: DecimalSign | undefined
}

/**
 * The columns of a recording and its rate.
 * @throws UserError that names the faulty line and why, or the option that the file needs
 */
export function parseColumns(text: string, o: ColumnsOptions): { columns: Float64Array[]; rate: number } {
    const { name, size, what, chosen, decimal } = o
    if (o.rate !== undefined) checkRate(o.rate, name)
    const table = new Table(text, name, decimal)
    const all = table.columns === size ? table.columnNumbers() : table.signals()
    const wanted = chosen?.map(column => table.find(column)) ?? all
    if (wanted.length !== size) {
        const advice = size === 1 && table.columns > 1 ? ": choose one with --column" : ""
        throw table.wrong(0, `${what} expected, found ${table.list()}${advice}`)
    }
    if (new Set(wanted).size < size) throw new UserError(`${name}: the same column is named twice`, 2)
    const columns = wanted.map(one => table.numbers(one))
    const rate = rateOf(table, o)
    checkLength(table.rows, rate, name)
    return { columns, rate }
}

function rateOf(table: Table, { name, rate, defaultRate }: ColumnsOptions): number {
    const column = table.time()
    const measured = column === undefined ? undefined : measuredRate(table, column)
    const isRate = measured !== undefined && measured >= minRateHz && measured <= maxRateHz
    if (measured !== undefined && !isRate && rate === undefined)
        throw new UserError(
            `${name}: ${rounded(measured)} Hz by its time column: name the unit in its title, as in "time [ms]", ` +
                "or give the sampling rate with --fs",
            2,
        )
    if (rate !== undefined && isRate && Math.abs(measured / rate - 1) > rateTolerance)
        throw new UserError(`${name}: ${rounded(measured)} Hz by its time column, not ${rate} Hz`, 2)
    const found = rate ?? measured ?? defaultRate
    if (found === undefined) throw new UserError(`${name}: no time column: give its sampling rate with --fs`, 2)
    return found
}

/** Lines per second, from a time column. @throws UserError if they are not evenly spaced */
function measuredRate(table: Table, column: number): number | undefined {
    const times = table.times(column)
    if (times.length < 2) return undefined
    const steps = times.subarray(1).map((time, i) => time - times[i]!)
    const usual = quantile(steps, 0.5)
    const back = steps.findIndex(step => step < 0)
    if (back >= 0) throw table.wrong(back + 1, "its time is earlier than that of the line before")
    const gap = steps.findIndex(step => step > gapSteps * usual)
    if (gap >= 0 && usual > 0)
        throw table.wrong(
            gap + 1,
            `${rounded(steps[gap]!)} after the line before, the others ${rounded(usual)}: samples are missing`,
        )
    const step = (times.at(-1)! - times[0]!) / steps.length
    return 1 / (step * unitOf(table.titles[column] ?? "", times[0]!))
}

/** Length in seconds of the unit of a time column. */
function unitOf(title: string, first: number): number {
    if (/\b(ms|millis)/i.test(title)) return 1e-3
    if (/\b(us|µs|micros)/i.test(title)) return 1e-6
    return Math.abs(first) > unixUs ? 1e-6 : Math.abs(first) > unixMs ? 1e-3 : 1
}

/** Of a file whose header has the rate. @param wanted that of the user, if any. @throws UserError */
export function checkSignal(samples: number, rate: number, wanted: number | undefined, name: string): void {
    if (wanted !== undefined && Math.abs(rate / wanted - 1) > rateTolerance)
        throw new UserError(`${name}: ${rounded(rate)} Hz by its header, not ${wanted} Hz`, 2)
    checkRate(rate, name)
    checkLength(samples, rate, name)
}

function checkLength(samples: number, rate: number, name: string): void {
    if (samples < minSeconds * rate)
        throw new UserError(`${name}: ${samples} samples: at least ${minSeconds} s of signal needed`)
}

function checkRate(rate: number, name: string): void {
    if (!(rate >= minRateHz && rate <= maxRateHz))
        throw new UserError(`${name}: sampling rate ${rate}: ${minRateHz} to ${maxRateHz} Hz expected`, 2)
}

function rounded(value: number): string {
    return String(Number(value.toPrecision(4)))
}
