/** One measured number, as `vitalmote bench` prints it. */
export interface Row {
    what: string
    value: number
    unit: string
    /** How it was measured, or what it is to be compared with. */
    note?: string
}
