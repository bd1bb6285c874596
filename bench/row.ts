/** One measured number, as `vitalmote bench` prints it. */
export interface Row {
    what: string
    value: number
    unit: string
    /** How it was measured, or what to compare it with. */
    note?: string
}
