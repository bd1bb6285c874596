import type { Value } from "./access.ts"

export type ColumnType = "integer" | "real" | "text" | "bytes"

/** The values of one column of many rows, as one parameter of a statement. */
export class Column {
    readonly type: ColumnType
    readonly values: readonly Value[]

    constructor(type: ColumnType, values: readonly Value[]) {
        this.type = type
        this.values = values
    }
}
