import type uPlot from "uplot"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import type { VitalName } from "../../wire/tables/quantities.ts"
import type { Alarm, Settings } from "./api.ts"

/** What is drawn around a curve: the limits of the mote, and when there were alarms. */
export interface Marks {
    limits: number[]
    alarms: { from: number; to: number | null; priority: Alarm["priority"] }[]
}

export const noMarks: Marks = { limits: [], alarms: [] }

const limitNames: Record<VitalName, readonly string[]> = {
    hr: ["hrLow", "hrHigh"],
    spo2: ["spo2Low"],
    temp: ["tempLow", "tempHigh"],
}

/** Of one vital sign. */
export function marksOf(name: VitalName, settings: Settings | undefined, alarms: readonly Alarm[]): Marks {
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

/** Below the curve: bands of alarms with a strip in the colour of their priority, limits as dashed lines. */
export function drawMarks(plot: uPlot, { limits, alarms }: Marks, colour: (name: string) => string): void {
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
    ctx.restore()
}
