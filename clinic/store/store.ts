/** What a column holds. Bytes come back as Uint8Array; truth values are kept as 0 and 1. */
export type Value = string | number | Uint8Array | null

/** Runs statements. Parameters stand as `?`, in order; the SQL keeps to what SQLite and PostgreSQL share. */
export interface Sql {
    /** All rows; `Row` names the selected columns and is the caller's word. */
    all<Row>(sql: string, ...parameters: Value[]): Promise<Row[]>
    /** Runs a statement that gives no rows; returns how many it changed. */
    run(sql: string, ...parameters: Value[]): Promise<number>
}

/** The clinic's database. */
export interface Store extends Sql {
    /**
     * Runs `work` as one transaction, committed durably before this returns, or not at all where `work` throws.
     * Inside, use the given `sql` only: the store itself waits until the transaction is over.
     */
    transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
    close(): Promise<void>
}
