import type uPlot from "uplot"

/** What a chart draws: where its values come from, how they look, and how they are said. */
export interface Curve {
    /** Names it in the page and in a file. */
    readonly name: string
    label(): string
    /** With its unit. */
    caption(): string
    /** From now on in steps of so long; what is known is forgotten. */
    setStep(stepMs: number): void
    /** Forgets what lies before, unix ms. */
    trim(from: number): void
    /** Time in unix s, then a column for each of `columnNames`. */
    columns(now: number): uPlot.AlignedData
    readonly columnNames: readonly string[]
    /** How each column is drawn, in the colours of the theme. */
    options(style: CSSStyleDeclaration): Pick<uPlot.Options, "bands"> & { series: uPlot.Series[] }
    /** What the axis shows, with values from `min` to `max`. */
    axis(min: number | null, max: number | null): [number, number]
    /** All values in words, for whoever cannot see them. */
    described(): string
    /** The values of one moment, by `columnNames`; the time of it in unix ms. */
    readout(time: number, values: readonly (number | null | undefined)[]): string
    /** Draws on the ground of the chart, before its lines; what goes beyond it is cut off. */
    draw?(plot: uPlot, colour: (name: string) => string): void
}
