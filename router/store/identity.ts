import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { readIfThere, writeDurably } from "../../host/files.ts"
import type { Log } from "../../host/log.ts"
import type { RouterStore } from "./store.ts"

/** Beside the store: which one it has to be. */
const fileName = "router.id"
const ownerOnly = 0o600
const idMeta = "id"
const madeMeta = "made at"

/**
 * Sees that the store in the folder `data` is the one that was there before, and says where it has been emptied, lost or
 * replaced. Returns when it was made, Unix time in milliseconds; undefined for one of an earlier version, which does not
 * know. Throws UserError where the file beside it cannot be read or written.
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
            "this is another store than before: it was emptied, lost or replaced. What was receipted and had not reached the clinic is gone; the clinic shows which envelopes are missing",
        )
    if (expected !== id) writeDurably(file, `${id}\n`, ownerOnly)
    const madeAt = Number(store.meta(madeMeta) ?? NaN)
    return Number.isFinite(madeAt) ? madeAt : undefined
}
