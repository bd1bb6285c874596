import { createReadStream, existsSync, renameSync, rmSync, statfsSync, statSync } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { reasonOf, UserError } from "../../host/errors.ts"
import { makeFolder, syncFolder } from "../../host/files.ts"
import { bytesOf, type ClinicKey } from "../keys/clinic-key.ts"
import { copyStore } from "../store/copy.ts"
import { alongsideClinics, atOneMoment } from "../store/postgres/open.ts"
import { openSqlite } from "../store/sqlite/open.ts"
import { decrypt, encrypt } from "./age.ts"
import { databaseName, entriesOf, keyName, trialName, unpack, writeStream, type Progress } from "./contents.ts"
import { examine, type Found } from "./examine.ts"
import { writeTar } from "./tar.ts"

/** Keeps the database's file as it is. */
export interface Hold {
    /** Throws UserError where the file may have changed since. */
    confirm(): Promise<void>
    release(): Promise<void>
}

export interface BackupOptions {
    /** The data folder, with `clinic/` in it. */
    data: string
    /** The file to write, which must not be there yet. */
    file: string
    passphrase: string
    /** The clinic's own, undefined where there is none. Throws UserError. */
    key: () => ClinicKey | undefined
    /** URL of PostgreSQL, which needs no hold; without it the database is the file in the data folder. */
    database?: string | undefined
    hold: () => Promise<Hold>
    /** Unix ms. */
    now: number
    progress?: Progress
}

export const minPassphraseChars = 12
/** Nobody is left without room for the readings that arrive meanwhile. */
const spareBytes = 64 * 2 ** 20
/**
 * Writes a backup and reads all of it back as a restore would. `file` is there only if that has worked; while it has not, the file
 * beside it whose name ends in `.new` is. Throws UserError.
 */
export async function makeBackup(o: BackupOptions): Promise<Found> {
    const { data, file, passphrase, database, progress = () => {} } = o
    if (passphrase.length < minPassphraseChars)
        throw new UserError(`the passphrase is too short: ${minPassphraseChars} characters or more`)
    if (existsSync(file)) throw new UserError(`${file} is there already: choose another name`)
    const draft = `${file}.new`
    const trial = join(data, trialName)
    const work = async () => {
        makeFolder(trial)
        const archive = decrypt(createReadStream(draft, { highWaterMark: 2 ** 20 }), passphrase)
        const unpacked = await unpack(archive, trial, (_, done, total) => progress("reading it back", done, total))
        const found = await examine(trial, unpacked.key, progress)
        renameSync(draft, file)
        syncFolder(dirname(resolve(file)))
        return found
    }
    try {
        if (database === undefined) {
            rmSync(trial, { recursive: true, force: true })
            await write(join(data, databaseName), { ...o, progress })
            return await work()
        }
        let found: Found | undefined
        await alongsideClinics(database, async bytes => {
            rmSync(trial, { recursive: true, force: true })
            const copy = await copied(database, { trial, data, bytes, progress })
            await write(copy, { ...o, progress })
            rmSync(trial, { recursive: true, force: true })
            found = await work()
        })
        return found!
    } catch (error) {
        rmSync(draft, { force: true })
        if (error instanceof UserError) throw new UserError(`no backup was made: ${error.message}`)
        throw new UserError(`no backup was made: cannot write ${basename(file)}: ${reasonOf(error)}`)
    } finally {
        rmSync(trial, { recursive: true, force: true })
    }
}

/** A file of the embedded engine, with all that PostgreSQL has at one moment; what was copied is read again and compared. */
async function copied(
    url: string,
    { trial, data, bytes, progress }: { trial: string; data: string; bytes: number; progress: Progress },
): Promise<string> {
    if (!existsSync(join(data, "clinic"))) throw new UserError(`there is no clinic in ${data}`)
    // The copy and its log, and then the copy that is unpacked.
    needRoom(data, 2 * bytes, "to copy the database and check the backup")
    makeFolder(trial)
    const copy = join(trial, "copy.db")
    const to = openSqlite(copy)
    try {
        await atOneMoment(url, from => copyStore(from, to, progress))
    } finally {
        await to.close()
    }
    return copy
}

function needRoom(data: string, bytes: number, why: string): void {
    const { bavail, bsize } = statfsSync(data)
    const needed = bytes + spareBytes
    if (bavail * bsize < needed)
        throw new UserError(`${data} needs ${Math.ceil(needed / 2 ** 20)} MiB of free space, ${why}`)
}

async function write(
    database: string,
    { data, file, passphrase, key, hold, now, progress }: BackupOptions & { progress: Progress },
): Promise<void> {
    if (!existsSync(database) && existsSync(join(data, keyName)))
        throw new UserError(`${database} is missing: restore it or, if PostgreSQL has the database, give --database`)
    if (!existsSync(database)) throw new UserError(`there is no clinic in ${data}: ${database} is missing`)
    needRoom(data, statSync(database).size, "to unpack the backup and check it")
    const clinicKey = key()
    if (!clinicKey) throw new UserError(`${join(data, keyName)} is missing`)
    const held = await hold()
    const handles: FileHandle[] = []
    try {
        const total = statSync(database).size
        let done = 0
        const archive = writeTar(
            entriesOf(data, { madeAt: now, key: bytesOf(clinicKey), handles, database }),
            Math.floor(now / 1000),
        )
        await writeStream(`${file}.new`, async function* () {
            for await (const part of encrypt(archive, passphrase)) {
                progress("writing", Math.min(total, (done += part.length)), total)
                yield part
            }
        })
        await held.confirm()
    } finally {
        await held.release()
        // Not before: whoever closes a file loses all of the process's locks on it (fcntl, POSIX.1-2017).
        for (const handle of handles) await handle.close()
    }
}
