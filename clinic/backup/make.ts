import { createReadStream, existsSync, renameSync, rmSync, statfsSync, statSync } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { reasonOf, UserError } from "../../host/errors.ts"
import { makeFolder, syncFolder } from "../../host/files.ts"
import { bytesOf, type ClinicKey } from "../keys/clinic-key.ts"
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
export async function makeBackup({
    data,
    file,
    passphrase,
    key,
    hold,
    now,
    progress = () => {},
}: BackupOptions): Promise<Found> {
    if (passphrase.length < minPassphraseChars)
        throw new UserError(`the passphrase is too short: ${minPassphraseChars} characters or more`)
    if (existsSync(file)) throw new UserError(`${file} is there already: choose another name`)
    const draft = `${file}.new`
    const trial = join(data, trialName)
    rmSync(trial, { recursive: true, force: true })
    try {
        await write(data, draft, { passphrase, key, hold, now, progress })
        makeFolder(trial)
        const archive = decrypt(createReadStream(draft, { highWaterMark: 2 ** 20 }), passphrase)
        const unpacked = await unpack(archive, trial, (_, done, total) => progress("reading it back", done, total))
        const found = await examine(trial, unpacked.key, progress)
        renameSync(draft, file)
        syncFolder(dirname(resolve(file)))
        return found
    } catch (error) {
        rmSync(draft, { force: true })
        if (error instanceof UserError) throw new UserError(`no backup was made: ${error.message}`)
        throw new UserError(`no backup was made: cannot write ${basename(file)}: ${reasonOf(error)}`)
    } finally {
        rmSync(trial, { recursive: true, force: true })
    }
}

async function write(
    data: string,
    draft: string,
    {
        passphrase,
        key,
        hold,
        now,
        progress,
    }: Required<Pick<BackupOptions, "key" | "passphrase" | "hold" | "now" | "progress">>,
): Promise<void> {
    const database = join(data, databaseName)
    if (!existsSync(database)) throw new UserError(`there is no clinic in ${data}: ${database} is missing`)
    const { bavail, bsize } = statfsSync(data)
    const needed = statSync(database).size + spareBytes
    if (bavail * bsize < needed)
        throw new UserError(
            `${data} needs ${Math.ceil(needed / 2 ** 20)} MiB of free space, to unpack the backup and check it`,
        )
    const clinicKey = key()
    if (!clinicKey) throw new UserError(`${join(data, keyName)} is missing`)
    const held = await hold()
    const handles: FileHandle[] = []
    try {
        const total = statSync(database).size
        let done = 0
        const archive = writeTar(
            entriesOf(data, { madeAt: now, key: bytesOf(clinicKey), handles }),
            Math.floor(now / 1000),
        )
        await writeStream(draft, async function* () {
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
