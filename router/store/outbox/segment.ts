import {
    closeSync,
    fdatasync,
    fdatasyncSync,
    fstatSync,
    ftruncateSync,
    openSync,
    readSync,
    unlinkSync,
    write,
    writeSync,
} from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { syncFolder } from "../../../host/files.ts"

const ownerOnly = 0o600
const written = promisify(write)
const synced = promisify(fdatasync)
const namePattern = /^(\d{10})\.log$/

/** One part of the log. Bytes are only ever added at `end`. */
export interface Segment {
    readonly number: number
    /** The offset behind the newest record. */
    end: number
    /** Adds bytes. They are durable when it returns or resolves. If it fails, `end` is as before. */
    append(bytes: Buffer): Promise<void> | void
    /** Adds bytes without waiting for the disk. Throws if it fails. */
    add(bytes: Buffer): void
    /** Waits until everything is durable. */
    sync(): void
    /** Reads up to `length` bytes. */
    read(at: number, length: number): Buffer
    close(): void
    /** Deletes it. */
    remove(): void
}

/** Returns the number in a segment's file name, or undefined for any other file. */
export function segmentNumber(name: string): number | undefined {
    const [, digits] = namePattern.exec(name) ?? []
    return digits === undefined ? undefined : Number(digits)
}

/** A segment in a file of its own, readable by its owner only. */
export class FileSegment implements Segment {
    readonly number: number
    readonly file: string
    end = 0
    private readonly fd: number

    private constructor(number: number, file: string, fd: number) {
        this.number = number
        this.file = file
        this.fd = fd
    }

    /** Makes a new file. Throws if it exists. */
    static create(folder: string, number: number): FileSegment {
        const file = join(folder, `${String(number).padStart(10, "0")}.log`)
        const segment = new FileSegment(number, file, openSync(file, "wx+", ownerOnly))
        syncFolder(folder)
        return segment
    }

    static open(folder: string, name: string): FileSegment {
        const file = join(folder, name)
        const segment = new FileSegment(segmentNumber(name)!, file, openSync(file, "r+"))
        segment.end = fstatSync(segment.fd).size
        return segment
    }

    async append(bytes: Buffer): Promise<void> {
        try {
            for (let done = 0; done < bytes.length;) {
                const { bytesWritten } = await written(this.fd, bytes, done, bytes.length - done, this.end + done)
                done += bytesWritten
            }
            await synced(this.fd)
        } catch (error) {
            this.truncate()
            throw error
        }
        this.end += bytes.length
    }

    add(bytes: Buffer): void {
        try {
            for (let done = 0; done < bytes.length;)
                done += writeSync(this.fd, bytes, done, bytes.length - done, this.end + done)
        } catch (error) {
            this.truncate()
            throw error
        }
        this.end += bytes.length
    }

    sync(): void {
        fdatasyncSync(this.fd)
    }

    read(at: number, length: number): Buffer {
        const bytes = Buffer.allocUnsafe(length)
        let done = 0
        for (let got = -1; done < length && got !== 0; done += got)
            got = readSync(this.fd, bytes, done, length - done, at + done)
        return bytes.subarray(0, done)
    }

    /** Drops what is behind `end`. */
    truncate(): void {
        try {
            ftruncateSync(this.fd, this.end)
        } catch {
            // What stays there is an envelope without a receipt. A start finds it, and the clinic gets it.
        }
    }

    close(): void {
        closeSync(this.fd)
    }

    remove(): void {
        this.close()
        unlinkSync(this.file)
    }
}

/** A segment in memory, for simulations. It is as durable as the process. */
export class MemorySegment implements Segment {
    readonly number: number
    private bytes = Buffer.alloc(0)
    end = 0

    constructor(number: number) {
        this.number = number
    }

    append(bytes: Buffer): void {
        this.add(bytes)
    }

    add(bytes: Buffer): void {
        if (this.end + bytes.length > this.bytes.length)
            this.bytes = Buffer.concat([this.bytes.subarray(0, this.end), Buffer.alloc(this.end + 2 * bytes.length)])
        this.bytes.set(bytes, this.end)
        this.end += bytes.length
    }

    sync(): void {}

    read(at: number, length: number): Buffer {
        return this.bytes.subarray(at, Math.min(at + length, this.end))
    }

    close(): void {}

    remove(): void {
        this.bytes = Buffer.alloc(0)
    }
}
