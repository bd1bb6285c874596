import type uPlot from "uplot"
import { units } from "../../wire/tables/quantities.ts"
import type { HistoryPoint } from "./api.ts"
import type { Curve } from "./curve.ts"
import { number, signal } from "./format.ts"
import { Series, type Columns } from "./series.ts"
import { t } from "./texts/language.ts"
import { heartRate, saturation, temperature, type VitalKind } from "./vital.ts"

export interface CurveKind {
    vital: VitalKind
    /** What the axis shows at least. */
    min: number
    max: number
    /** Room around what goes beyond. */
    margin: number
    /** The axis ends here, where no value can be higher. */
    limit?: number
    /** A CSS variable of the theme. */
    color: string
}

export const heartRateCurve: CurveKind = {
    ...{ vital: heartRate, min: 50, max: 110, margin: 5, color: "--hr" },
}
const saturationCurve: CurveKind = {
    ...{ vital: saturation, min: 88, max: 100, margin: 2, limit: 100, color: "--spo2" },
}
const temperatureCurve: CurveKind = {
    ...{ vital: temperature, min: 35.5, max: 38.5, margin: 0.3, color: "--temp" },
}
/** In the order in which they are shown. */
export const curveKinds = [heartRateCurve, saturationCurve, temperatureCurve]

/** The signal of a reading is a bar at the foot of the chart, so high at best. */
const qualityPx = 9

/** One vital sign: a line of means, a band from least to greatest, and the quality of the signal below. */
export class VitalCurve implements Curve {
    readonly name: string
    readonly columnNames: readonly string[]
    private readonly kind: CurveKind
    private stepMs: number
    private series: Series

    constructor(kind: CurveKind, stepMs: number) {
        this.kind = kind
        this.name = kind.vital.name
        this.columnNames = ["", "-min", "-max", "-quality"].map(end => this.name + end)
        this.stepMs = stepMs
        this.series = new Series(stepMs)
    }

    label(): string {
        return t.vital.label(this.kind.vital.name)
    }

    caption(): string {
        const { unit, isUncalibrated } = this.kind.vital
        const caption = t.chart.caption(this.label(), units[unit].text)
        return isUncalibrated ? `${caption}, ${t.vital.uncalibrated}` : caption
    }

    setStep(stepMs: number): void {
        this.stepMs = stepMs
        this.series = new Series(stepMs)
    }

    trim(from: number): void {
        this.series.trim(from)
    }

    load(points: readonly HistoryPoint[]): void {
        this.series.load(points)
    }

    add(time: number, value: number | null, quality: number | null): void {
        this.series.add(time, value, quality)
    }

    columns(): Columns {
        return this.series.columns()
    }

    options(style: CSSStyleDeclaration): ReturnType<Curve["options"]> {
        const line = style.getPropertyValue(this.kind.color)
        const hidden = { show: true, stroke: "transparent", width: 0, points: { show: false } }
        return {
            series: [
                {
                    ...{ stroke: line, width: 2, pxAlign: 0 },
                    points: { show: false, filter: lonePoints, fill: line, width: 0, size: 4 },
                },
                { ...hidden },
                { ...hidden },
                { show: false },
            ],
            bands: [{ series: [3, 2], fill: style.getPropertyValue(`${this.kind.color}-band`) }],
        }
    }

    axis(min: number | null, max: number | null): [number, number] {
        const { limit = Infinity, margin } = this.kind
        return [
            Math.min(this.kind.min, min === null ? Infinity : min - margin),
            Math.min(limit, Math.max(this.kind.max, max === null ? -Infinity : max + margin)),
        ]
    }

    described(): string {
        const range = this.series.range()
        if (!range) return t.chart.noValues
        const { unit } = this.kind.vital
        return t.chart.values(this.text(range.min), this.text(range.max), t.vital.spokenUnit(unit))
    }

    readout(_time: number, [mean, min, max, quality]: readonly (number | null | undefined)[]): string {
        const told = typeof quality === "number" ? t.vital.signal(signal(quality).word) : ""
        const parts = [typeof mean === "number" ? this.spread(mean, min, max) : t.chart.noValues, told]
        return parts.filter(Boolean).join(", ")
    }

    draw(plot: uPlot, colour: (name: string) => string): void {
        const [times, , , , qualities] = this.series.columns()
        if (!this.kind.vital.hasQuality) return
        const { ctx, bbox } = plot
        const scale = devicePixelRatio
        ctx.fillStyle = colour("--dim")
        ctx.globalAlpha = 0.45
        const width = Math.max(scale, plot.valToPos(this.stepMs / 1000, "x", true) - plot.valToPos(0, "x", true))
        for (const [i, quality] of qualities.entries()) {
            if (quality === null) continue
            const height = Math.max(1, quality * qualityPx) * scale
            ctx.fillRect(plot.valToPos(times[i]!, "x", true), bbox.top + bbox.height - height, width, height)
        }
    }

    private spread(mean: number, min: number | null | undefined, max: number | null | undefined): string {
        const isSpread = typeof min === "number" && typeof max === "number" && min !== max
        const value = isSpread ? t.chart.spread(this.text(mean), this.text(min), this.text(max)) : this.text(mean)
        return `${value} ${units[this.kind.vital.unit].text}`
    }

    private text(value: number): string {
        return number(value, this.kind.vital.digits)
    }
}

/** Values between two gaps: no line goes through them, so they are drawn as dots. */
function lonePoints({ data }: uPlot, series: number): number[] {
    const values = data[series]!
    const isThere = (i: number) => (values[i] ?? null) !== null
    return [...values.keys()].filter(i => isThere(i) && !isThere(i - 1) && !isThere(i + 1))
}
