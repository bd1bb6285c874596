import { hashOf, noHash, type AuditRow } from "./event.ts"
import { isSealed, type Head, type SealedHead } from "./head.ts"

/** A piece of the record, in order. `head` was read before the rows were. */
export interface ChainPage {
    head: SealedHead | undefined
    rows: readonly (AuditRow & {
        hash: Uint8Array
        /** The patients under whom the event is found, in order. */
        indexed: readonly number[]
    })[]
}

/** The end of a whole record, or the first number that is not as it was written. */
export type Verdict = { head: Head; bad?: undefined } | { bad: number; reason: string }

/**
 * Whether the record is as the clinic wrote it. Heads that were written down elsewhere (`anchors`) show that it was made anew with
 * the clinic's key, and that it was put back to an earlier state.
 * @param pages until one without rows
 * @param o.key of the seals
 */
export async function verifyChain(
    pages: AsyncIterable<ChainPage>,
    o: { key: Uint8Array; anchors: readonly Head[]; progress?: (done: number, total: number) => void },
): Promise<Verdict> {
    const { key, anchors, progress } = o
    let count = 0
    let hash: Uint8Array = noHash
    let head: SealedHead | undefined
    for await (const page of pages) {
        head = page.head
        for (const { hash: stored, indexed, ...row } of page.rows) {
            const due = count + 1
            if (row.id !== due) return { bad: due, reason: "is missing" }
            if (!areEqual(hashOf(row, hash), stored)) return { bad: due, reason: "was changed" }
            if (row.action === "broken") return { bad: due, reason: `found the record changed: ${row.detail ?? ""}` }
            if (JSON.stringify(indexed) !== row.patients) return { bad: due, reason: "is not found under its patients" }
            count = due
            hash = stored
            if (anchors.some(anchor => anchor.count === due && !areEqual(anchor.hash, stored)))
                return { bad: due, reason: "or one before it is not the one that was written down elsewhere" }
        }
        progress?.(count, head?.count ?? 0)
    }
    if (!head) return { bad: 1, reason: "is missing, with the whole record" }
    const end = Math.max(head.count, ...anchors.map(anchor => anchor.count))
    if (end > count) return { bad: count + 1, reason: `is missing; there were ${end}` }
    if (!isSealed(head, key) || head.count !== count || !areEqual(head.hash, hash))
        return { bad: count, reason: "or one before it is not the one that the clinic sealed" }
    return { head: { count, hash } }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
    return Buffer.from(a).equals(b)
}
