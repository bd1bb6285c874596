import { createHash } from "node:crypto"
import { closeSync, constants, createWriteStream, existsSync, fsyncSync, openSync } from "node:fs"
import { mkdir, open, type FileHandle } from "node:fs/promises"
import { dirname, join } from "node:path"
import { once } from "node:events"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { clinicKeyOf, type ClinicKey } from "../keys/clinic-key.ts"
import { databaseFormat } from "../store/sqlite/open.ts"
import { readTar, type TarEntry } from "./tar.ts"

/** Told how far long work is. */
export type Progress = (what: string, done: number, total: number) => void

/** The first entry of a backup. */
const Head = Type.Object({
    format: Type.Literal("vitalmote-backup"),
    version: Type.Integer(),
    /** Of the database. */
    schema: Type.Integer(),
    /** Unix ms, by the clock of the machine that made it. */
    madeAt: Type.Number(),
    bytes: Type.Integer({ minimum: 0 }),
})
export type Head = Static<typeof Head>

/** Raised when a program that does not know the new form would restore less than everything. */
const formatVersion = 1
const headName = "backup.json"
/** As `sha256sum` writes and checks it. */
const sumsName = "SHA256SUMS"
const maxSmallBytes = 1024 * 1024

/** What belongs to a clinic, by its place in a data folder; only the first two are always there. */
export const databaseName = "clinic/clinic.db"
export const keyName = "clinic/clinic.key"
export const credentialsName = "credentials.json"
const names = [databaseName, keyName, "clinic/ca.pem", "clinic/ca-key.pem", "clinic/server.pem", credentialsName]

/** Ends the name of a folder in which a restore is at work: the clinic beside it is not whole. */
export const restoringSuffix = ".restoring"

/** Where a backup is unpacked to see whether it can be: beside the database, which is no less secret. */
export const trialName = "clinic/backup-trial"

const readBytes = 1024 * 1024
const ownerOnly = 0o600

/**
 * The entries of a backup of a data folder, the sums of all others last.
 * @param o.database the file that has it, in place of the one in the folder
 * @param o.key the clinic's key as it is, under no master key
 * @param o.handles get the open files, which must stay open while the database is
 */
export async function* entriesOf(
    data: string,
    o: { madeAt: number; key: Uint8Array; handles: FileHandle[]; database: string },
): AsyncGenerator<TarEntry> {
    const { madeAt, key, handles, database } = o
    const files: { name: string; size: number; handle?: FileHandle }[] = []
    for (const name of names) {
        if (name === keyName) {
            files.push({ name, size: key.length })
            continue
        }
        const file = name === databaseName ? database : join(data, name)
        if (!existsSync(file)) continue
        const handle = await open(file, constants.O_RDONLY)
        handles.push(handle)
        files.push({ name, size: (await handle.stat()).size, handle })
    }
    if (files[0]?.name !== databaseName) throw new UserError(`${database} is missing`)
    const bytes = files.reduce((sum, { size }) => sum + size, 0)
    const head: Head = {
        ...{ format: "vitalmote-backup", version: formatVersion, schema: databaseFormat.migrations.length },
        ...{ madeAt, bytes },
    }
    yield entry(headName, JSON.stringify(head) + "\n")
    const sums: string[] = []
    for (const { name, size, handle } of files) {
        const hash = createHash("sha256")
        const stream = !handle
            ? [key]
            : size === 0
              ? []
              : handle.createReadStream({ start: 0, end: size - 1, autoClose: false, highWaterMark: readBytes })
        const contents = async function* () {
            for await (const part of stream as AsyncIterable<Uint8Array>) {
                hash.update(part)
                yield part
            }
        }
        yield { name, size, contents: contents() }
        sums.push(`${hash.digest("hex")}  ${name}\n`)
    }
    yield entry(sumsName, sums.join(""))
}

function entry(name: string, text: string): TarEntry {
    const bytes = Buffer.from(text)
    const contents = async function* () {
        yield bytes
    }
    return { name, size: bytes.length, contents: contents() }
}

/** A backup whose files are on the disk, and the clinic's key, which is not. */
export interface Unpacked {
    head: Head
    key: ClinicKey
}

/**
 * Writes the files of a decrypted backup into `into`, durably, and compares their sums. Throws UserError for what is no such backup,
 * or one of a newer version.
 */
export async function unpack(archive: AsyncIterable<Uint8Array>, into: string, progress: Progress): Promise<Unpacked> {
    let head: Head | undefined
    let key: Uint8Array | undefined
    let sums: string | undefined
    const found = new Map<string, string>()
    let done = 0
    for await (const { name, size, contents } of readTar(archive)) {
        if (!head) head = parseHead(name, (await small(contents, size)).toString())
        else if (name === sumsName) sums = (await small(contents, size)).toString()
        else if (!names.includes(name) || found.has(name) || sums !== undefined) throw notOurs()
        else if (name === keyName) {
            key = await small(contents, size)
            found.set(name, createHash("sha256").update(key).digest("hex"))
        } else {
            const { bytes } = head
            const at = done
            found.set(
                name,
                await write(join(into, name), contents, written => progress("reading", at + written, bytes)),
            )
            done += size
        }
    }
    if (!head || !found.has(databaseName) || !key) throw notOurs()
    if (sums !== [...found].map(([name, sum]) => `${sum}  ${name}\n`).join(""))
        throw new UserError("the backup is damaged: its files do not have the sums that it says")
    const parsed = clinicKeyOf(key)
    if (!parsed) throw notOurs()
    return { head, key: parsed }
}

async function write(
    file: string,
    contents: AsyncIterable<Uint8Array>,
    written: (bytes: number) => void,
): Promise<string> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const hash = createHash("sha256")
    let bytes = 0
    await writeStream(file, async function* () {
        for await (const part of contents) {
            hash.update(part)
            written((bytes += part.length))
            yield part
        }
    })
    return hash.digest("hex")
}

/** Writes a new file, readable by its owner only, that is on the disk when this resolves. */
export async function writeStream(file: string, contents: () => AsyncIterable<Uint8Array>): Promise<void> {
    const fd = openSync(file, "w", ownerOnly)
    try {
        const stream = createWriteStream(file, { fd, autoClose: false, highWaterMark: readBytes })
        const failed = once(stream, "error").then(([error]) => {
            throw error as Error
        })
        failed.catch(() => {})
        const write = async () => {
            for await (const part of contents()) if (!stream.write(part)) await once(stream, "drain")
            await new Promise<void>(resolve => stream.end(resolve))
        }
        await Promise.race([write(), failed])
        fsyncSync(fd)
    } finally {
        closeSync(fd)
    }
}

async function small(contents: AsyncIterable<Uint8Array>, size: number): Promise<Buffer> {
    if (size > maxSmallBytes) throw notOurs()
    const parts: Uint8Array[] = []
    for await (const part of contents) parts.push(part)
    return Buffer.concat(parts)
}

function parseHead(name: string, text: string): Head {
    let head: unknown
    try {
        head = JSON.parse(text)
    } catch {
        throw notOurs()
    }
    if (name !== headName || !Value.Check(Head, head)) throw notOurs()
    if (head.version > formatVersion || head.schema > databaseFormat.migrations.length)
        throw new UserError("a newer version of VitalMote wrote it: use that one")
    return head
}

function notOurs(): UserError {
    return new UserError("it is no backup of a clinic")
}
