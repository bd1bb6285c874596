import pg from "pg"
import { StoreFailure } from "../failure.ts"

/** SQLSTATE (PostgreSQL's appendix A) of what is run again: another transaction came between, or each waited for the other. */
const conflicts = ["40001", "40P01"]

const full = /^53100$/
/**
 * Connections, insufficient resources, an operator's intervention, errors of the system, damage, no permission to come in, a lock
 * that is not had in time, and a server that is a standby.
 */
const broken = /^(08|28|53|57|58|F0|XX)|^(55P03|25006|25P03|3D000)$/

export function isConflict(error: unknown): boolean {
    return error instanceof pg.DatabaseError && conflicts.includes(error.code ?? "")
}

/** StoreFailure where the server cannot be reached or does not work; any other error as it is. */
export function failureOf(error: unknown): unknown {
    if (error instanceof StoreFailure || error instanceof TypeError) return error
    if (!(error instanceof pg.DatabaseError)) return new StoreFailure("broken", error)
    const { code = "" } = error
    if (full.test(code)) return new StoreFailure("full", error)
    return broken.test(code) ? new StoreFailure("broken", error) : error
}
