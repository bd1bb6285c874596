import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { readIfThere, writeDurably } from "../../host/files.ts"
import type { Log } from "../../host/log.ts"
import type { RouterStore } from "./store.ts"

/** The file beside the store that has the store's id. */
const fileName = "router.id"
const ownerOnly = 0o600
const idMeta = "id"
const madeMeta = "made at"

/**
 * Checks that the store in the folder `data` is still the same, and logs a warning if it was emptied, lost or replaced.
 * Returns when it was created, as Unix time in milliseconds, or undefined if an earlier version created it without
 * recording the time. Throws UserError if the file with the id cannot be read or written.
 */
export function identify(store: RouterStore, data: string, now: number, log: Log): number | undefined {
    const file = join(data, fileName)
    const expected = readIfThere(file)?.toString("latin1").trim()
    let id = store.meta(idMeta)
    if (id === undefined) {
        const isNew = store.keys().length === 0 && store.outboxLength === 0 && store.refusedLength === 0
        if (isNew || expected !== undefined) store.setMeta(madeMeta, String(Math.trunc(now)))
        id = randomBytes(8).toString("hex")
        store.setMeta(idMeta, id)
    }
    if (expected !== undefined && expected !== id)
        log.warn(
            { store: id, expected },
            "this is not the same store as before: it was emptied, lost or replaced. Envelopes with a receipt " +
                "that had not reached the clinic are lost; the clinic shows which envelopes are missing",
        )
    if (expected !== id) writeDurably(file, `${id}\n`, ownerOnly)
    const madeAt = Number(store.meta(madeMeta) ?? NaN)
    return Number.isFinite(madeAt) ? madeAt : undefined
}
