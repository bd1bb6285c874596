import { sql, type RawBuilder, type SqlBool } from "kysely"

/** Whose rows count: everybody's, or those of these patients and, where it says so, what is nobody's. */
export type Seen = "all" | { patients: readonly number[]; nobodys: boolean }

/** The condition that `column` holds one of them, so that what somebody may not see costs nothing. */
export function isSeen(column: "a.patient" | "association.patient" | "patient.id", seen: Seen): RawBuilder<SqlBool> {
    if (seen === "all") return sql`1 = 1`
    const { patients, nobodys } = seen
    const isNobodys = sql<SqlBool>`${sql.ref(column)} IS NULL`
    if (patients.length === 0) return nobodys ? isNobodys : sql`1 = 0`
    const isTheirs = sql<SqlBool>`${sql.ref(column)} IN (${sql.join(patients)})`
    return nobodys ? sql`(${isTheirs} OR ${isNobodys})` : isTheirs
}
