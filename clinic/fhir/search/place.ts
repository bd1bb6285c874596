import { fault } from "./fault.ts"

/** The number behind which a scan goes on; 0 at the beginning. Throws ProblemError for a cursor that is none of ours. */
export function placeOf(after: string | undefined): number {
    if (after === undefined) return 0
    if (!/^[1-9]\d{0,14}$/.test(after)) throw fault("_cursor", "malformed")
    return Number(after)
}
