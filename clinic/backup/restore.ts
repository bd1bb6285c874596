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
import { skipIds } from "../store/sqlite/skip-ids.ts"
import { decrypt } from "./age.ts"
import { credentialsName, restoringSuffix, unpack, type Head, type Progress } from "./contents.ts"
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
    progress?: Progress
}): Promise<Head & Found> {
    const { file, data, passphrase, progress = () => {} } = o
    if (!existsSync(file)) throw fileError(file, { code: "ENOENT", message: "" })
    const clinic = join(data, "clinic")
    if (!isEmpty(clinic)) throw new UserError(`there is a clinic in ${data} already: restore into another folder`)
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

/** The credentials come first: without their clinic they are refused at the start. */
function commit(draft: string, data: string): void {
    const [made, place] = [join(draft, credentialsName), join(data, credentialsName)]
    if (existsSync(made)) {
        if (existsSync(place) && !readFileSync(place).equals(readFileSync(made)))
            throw new UserError(`${place} is there already, and another one: move it away`)
        renameSync(made, place)
    }
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
