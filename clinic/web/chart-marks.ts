import type uPlot from "uplot"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import type { VitalName } from "../../wire/tables/quantities.ts"
import type { Alarm, Note, Settings } from "./api.ts"

/** What is drawn around a curve: the limits of the mote, when there were alarms, and when somebody wrote a note. */
export interface Marks {
    limits: number[]
    alarms: { from: number; to: number | null; priority: Alarm["priority"] }[]
    notes: readonly Note[]
}

export const noMarks: Marks = { limits: [], alarms: [], notes: [] }

const limitNames: Record<VitalName, readonly string[]> = {
    hr: ["hrLow", "hrHigh"],
    spo2: ["spo2Low"],
    temp: ["tempLow", "tempHigh"],
}

/** Of one vital sign. */
export function marksOf(
    name: VitalName,
    settings: Settings | undefined,
    alarms: readonly Alarm[],
): Omit<Marks, "notes"> {
    const limits = limitNames[name].map(limit => settings?.[limit]).filter(limit => typeof limit === "number")
    const own = alarms.filter(({ kind }) => {
        const { cause } = alarmKindOf(kind)
        return "quantity" in cause && cause.quantity === name
    })
    return {
        limits,
        alarms: own.map(({ raisedAt, clearedAt, priority }) => ({ from: raisedAt, to: clearedAt, priority })),
    }
}

const stripPx = 5
const notePx = 5
/** The cursor is at a note when it is so near. */
const nearPx = 8

/** The notes at a place of the plot, CSS pixels from its left. */
export function notesAt(plot: uPlot, { notes }: Marks, left: number): Note[] {
    return notes.filter(({ time }) => Math.abs(plot.valToPos(time / 1000, "x") - left) <= nearPx)
}

/** Below the curve: bands of alarms with a strip in the colour of their priority, limits as dashed lines, notes as dotted ones. */
export function drawMarks(plot: uPlot, { limits, alarms, notes }: Marks, colour: (name: string) => string): void {
    const { ctx, bbox } = plot
    const scale = devicePixelRatio
    const x = (ms: number) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(ms / 1000, "x", true)))
    ctx.save()
    for (const { from, to, priority } of alarms) {
        const left = x(from)
        const width = Math.max(2 * scale, (to === null ? bbox.left + bbox.width : x(to)) - left)
        if (left >= bbox.left + bbox.width || left + width <= bbox.left) continue
        ctx.fillStyle = colour({ high: "--alarm-ground", medium: "--medium-line", low: "--low" }[priority])
        ctx.globalAlpha = 0.16
        ctx.fillRect(left, bbox.top, width, bbox.height)
        ctx.globalAlpha = 1
        ctx.fillRect(left, bbox.top, width, stripPx * scale)
    }
    ctx.strokeStyle = colour("--warn")
    ctx.lineWidth = scale
    ctx.setLineDash([6 * scale, 5 * scale])
    for (const limit of limits) {
        const y = plot.valToPos(limit, "y", true)
        if (y < bbox.top || y > bbox.top + bbox.height) continue
        ctx.beginPath()
        ctx.moveTo(bbox.left, y)
        ctx.lineTo(bbox.left + bbox.width, y)
        ctx.stroke()
    }
    ctx.strokeStyle = ctx.fillStyle = colour("--text")
    ctx.setLineDash([scale, 4 * scale])
    for (const { time } of notes) {
        const at = plot.valToPos(time / 1000, "x", true)
        if (at < bbox.left || at > bbox.left + bbox.width) continue
        ctx.beginPath()
        ctx.moveTo(at, bbox.top)
        ctx.lineTo(at, bbox.top + bbox.height)
        ctx.stroke()
        ctx.beginPath()
        ctx.moveTo(at - notePx * scale, bbox.top)
        ctx.lineTo(at + notePx * scale, bbox.top)
        ctx.lineTo(at, bbox.top + 2 * notePx * scale)
        ctx.fill()
    }
    ctx.restore()
}
