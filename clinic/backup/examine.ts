import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { sql } from "kysely"
import { UserError } from "../../host/errors.ts"
import { realClock } from "../../host/clock.ts"
import { Associations } from "../motes/associations.ts"
import { Motes } from "../motes/motes.ts"
import { Vault } from "../motes/vault.ts"
import { openSqlite } from "../store/sqlite/open.ts"
import type { Store } from "../store/store.ts"
import { databaseName, type Progress } from "./contents.ts"
import type { ClinicKey } from "../keys/clinic-key.ts"

/** What is in a backup, for people. */
export interface Found {
    patients: number
    motes: number
    users: number
    /** When the newest envelope was stored, unix ms; null where there is none. */
    newestAt: number | null
}

/**
 * Opens an unpacked backup as a clinic would: the whole database is sound, and `key` is the one of its secrets. `use` may change it.
 * Throws UserError.
 */
export async function examine(
    folder: string,
    key: ClinicKey,
    progress: Progress,
    use: (store: Store) => Promise<void> = async () => {},
): Promise<Found> {
    const file = join(folder, databaseName)
    // The copy is complete without a log: it was made when there was nothing in it.
    writeFileSync(`${file}-wal`, "", { mode: 0o600 })
    progress("checking the database", 0, 0)
    const store = openSqlite(file)
    try {
        const { rows } = await sql<{ integrity_check: string }>`PRAGMA integrity_check(1)`.execute(store.db)
        if (rows[0]?.integrity_check !== "ok") throw new UserError("its database is damaged")
        if (!(await motesOf(store, key.secrets).opens()))
            throw new UserError("the key in the backup is not the one of its database")
        await use(store)
        const [patients, motes, users] = await Promise.all([
            store.patient.active(),
            store.mote.all({ isInUse: true }),
            store.account.all(),
        ])
        const newestAt = await store.envelope.newestStoredAt()
        return { patients: patients.length, motes: motes.length, users: users.length, newestAt }
    } finally {
        await store.close()
    }
}

function motesOf(store: Store, key: Uint8Array): Motes {
    const associations = new Associations(store, realClock)
    return new Motes({ store, clock: realClock, random: randomBytes, vault: new Vault(key, randomBytes), associations })
}
