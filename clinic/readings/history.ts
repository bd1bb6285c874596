/** Readings over time in steps, for a chart; `mean`, `min` and `max` are null where nothing could be measured. */
export interface HistoryPoint {
    /** Start of the step, unix ms. */
    time: number
    count: number
    mean: number | null
    min: number | null
    max: number | null
    /** Mean signal quality 0…1; null where the mote gave none. */
    quality: number | null
}
