import { existsSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { UserError } from "../host/errors.ts"
import { makeFolder } from "../host/files.ts"
import { chainPage, chainPages } from "./audit/chain.ts"
import { sealingKey } from "./audit/head.ts"
import { verifyChain } from "./audit/verify.ts"
import { readClinicKey } from "./keys/clinic-key.ts"
import type { MasterKey } from "./keys/master-key.ts"
import { copyStore, type Contents, type CopyProgress } from "./store/copy.ts"
import { databaseName as name, openAlone, openEmpty, type Place } from "./store/place.ts"
import { openSqlite } from "./store/sqlite/open.ts"
import type { Store } from "./store/store.ts"

/** What a killed migration leaves is made anew. */
const draftName = "clinic.db.migrating"
/** The database of before, which a clinic does not take for its own. */
const keptName = "clinic.db.migrated"

/**
 * Moves the database of a clinic that does not run from one place to the other: all or nothing. Every table is compared, and the audit
 * record verified, before the target counts. A file that was moved is kept under another name. Throws UserError.
 * @param o.keys the clinic's folder, with its key
 * @param o.master around that
 */
export async function migrateClinic(o: {
    from: Place
    to: Place
    keys: string
    master?: MasterKey | undefined
    progress: CopyProgress
}): Promise<{ tables: Contents[]; auditEvents: number }> {
    const key = readClinicKey(o.keys, o.master)
    if (!key) throw new UserError(`${join(o.keys, "clinic.key")} is missing: the audit record cannot be verified`)
    const from = await openAlone(o.from, "source")
    try {
        const to = await openTarget(o.to)
        try {
            const tables = await copyStore(from, to, o.progress)
            const pages = chainPages(after => chainPage(to, after))
            const progress = (done: number, total: number) => o.progress("verifying the audit record", done, total)
            const verdict = await verifyChain(pages, { key: sealingKey(key.secrets), anchors: [], progress })
            if (verdict.bad !== undefined)
                throw new UserError(
                    `the audit record is not whole, as \`vitalmote audit verify\` says of the source: event ${verdict.bad} ${verdict.reason}`,
                )
            await Promise.all([from.close(), to.close()])
            finish(o.from, o.to)
            return { tables, auditEvents: verdict.head.count }
        } catch (error) {
            await to.close().catch(() => {})
            throw error
        }
    } catch (error) {
        await from.close().catch(() => {})
        throw error
    }
}

async function openTarget(place: Place): Promise<Store> {
    if ("url" in place) return await openEmpty(place)
    const file = join(place.folder, name)
    if (existsSync(file)) throw new UserError(`the target is not empty: there is ${file}, which is never overwritten`)
    makeFolder(place.folder)
    const draft = join(place.folder, draftName)
    for (const part of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(part, { force: true })
    return openSqlite(draft)
}

function finish(from: Place, to: Place): void {
    if ("folder" in to) rename(join(to.folder, draftName), join(to.folder, name))
    if ("folder" in from) rename(join(from.folder, name), join(from.folder, keptName))
}

/** A database that was closed needs nothing of its log. */
function rename(file: string, target: string): void {
    renameSync(file, target)
    rmSync(`${file}-wal`, { force: true })
}
