import { createReadStream, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileError, reasonOf, UserError } from "../../host/errors.ts"
import { realClock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { makeFolder, syncFolder } from "../../host/files.ts"
import { Audit } from "../audit/audit.ts"
import { writeClinicKey } from "../keys/clinic-key.ts"
import type { MasterKey } from "../keys/master-key.ts"
import { copyStore } from "../store/copy.ts"
import { openEmpty } from "../store/place.ts"
import { openSqlite } from "../store/sqlite/open.ts"
import { skipIds } from "../store/sqlite/skip-ids.ts"
import { decrypt } from "./age.ts"
import { credentialsName, databaseName, restoringSuffix, unpack, type Head, type Progress } from "./contents.ts"
import { examine, type Found } from "./examine.ts"

/** More than could have been given out between a backup and its loss. */
const lostIds = 1_000_000
const lostVersions = 1_000

/**
 * Makes the clinic of a data folder out of a backup. What is there is never overwritten: where there is a clinic already, this throws.
 * Everything is checked before anything gets its final name. Throws UserError.
 */
export async function restoreBackup(o: {
    file: string
    data: string
    passphrase: string
    /** To be around the clinic's key from now on. */
    master?: MasterKey | undefined
    /** URL of PostgreSQL, where the database goes in place of the data folder; it has to be empty. */
    database?: string | undefined
    progress?: Progress
}): Promise<Head & Found> {
    const { file, data, passphrase, database, progress = () => {} } = o
    if (!existsSync(file)) throw fileError(file, { code: "ENOENT", message: "" })
    const clinic = join(data, "clinic")
    if (!isEmpty(clinic)) throw new UserError(`there is a clinic in ${data} already: restore into another folder`)
    if (database !== undefined) await (await openEmpty({ url: database })).close()
    makeFolder(data)
    const draft = clinic + restoringSuffix
    await mkdir(draft, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw new UserError(`cannot write ${draft}: ${reasonOf(error)}`)
        throw new UserError(`another restore into ${data} is at work or was interrupted: if none is, remove ${draft}`)
    })
    try {
        const { head, key } = await unpack(
            decrypt(createReadStream(file, { highWaterMark: 2 ** 20 }), passphrase),
            draft,
            progress,
        )
        const found = await examine(draft, key, progress, async store => {
            await store.session.removeAll()
            await skipIds(store, lostIds, lostVersions)
            const audit = new Audit({
                store,
                clock: realClock,
                log: silentLog,
                key: key.secrets,
            })
            await audit.record([audit.own("restore", { backup: new Date(head.madeAt).toISOString() })])
        })
        refuseOther(draft, data)
        if (database !== undefined) await fill(database, join(draft, databaseName), progress)
        writeClinicKey(join(draft, "clinic"), key, o.master)
        commit(draft, data)
        return { ...head, ...found }
    } catch (error) {
        if (error instanceof UserError) throw new UserError(`nothing was restored: ${error.message}`)
        throw new UserError(`nothing was restored: ${reasonOf(error)}`)
    } finally {
        rmSync(draft, { recursive: true, force: true })
    }
}

/** Copies the database, compared and in one transaction. Until the folder has its name, nobody takes it for a clinic's. */
async function fill(url: string, file: string, progress: Progress): Promise<void> {
    const to = await openEmpty({ url })
    try {
        const from = openSqlite(file)
        await copyStore(from, to, progress).finally(() => from.close())
    } finally {
        await to.close()
    }
    for (const part of [file, `${file}-wal`]) rmSync(part, { force: true })
}

/** Throws UserError where somebody else's credentials would be overwritten. */
function refuseOther(draft: string, data: string): void {
    const [made, place] = [join(draft, credentialsName), join(data, credentialsName)]
    if (existsSync(made) && existsSync(place) && !readFileSync(place).equals(readFileSync(made)))
        throw new UserError(`${place} is there already, and another one: move it away`)
}

/** The credentials come first: without their clinic they are refused at the start. */
function commit(draft: string, data: string): void {
    const [made, place] = [join(draft, credentialsName), join(data, credentialsName)]
    if (existsSync(made)) renameSync(made, place)
    syncFolder(join(draft, "clinic"))
    renameSync(join(draft, "clinic"), join(data, "clinic"))
    syncFolder(data)
}

function isEmpty(folder: string): boolean {
    try {
        return readdirSync(folder).length === 0
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return true
        throw fileError(folder, error)
    }
}
