/** Of the W25Q16JV on a Pico W (data sheet, 9.6): the typical times of an erased sector and a programmed page. */
const sectorEraseMs = 45
const pageProgramMs = 0.4
/** Until the page is on its way: 256 bytes on one line at 31 MHz. */
const pageTransferMs = 0.07

export const flashBytes = 2 * 1024 * 1024
const sectorBytes = 4096
const pageBytes = 256

/** A write as it was asked for; the power may fail in it. */
export interface FlashWrite {
    kind: "erase" | "program"
    offset: number
    length: number
}

/** Thrown when the power fails in the middle of a write. */
export class PowerFailure extends Error {}

export interface FlashMemoryOptions {
    /** From which on it goes; the rest is erased. */
    contents?: Uint8Array
    /** 16 hex digits, as the chip tells them. */
    uniqueId?: string
}

/** A board's flash: what is in it, how often which sector was erased, and how long that takes. Survives resets. */
export class FlashMemory {
    readonly contents = new Uint8Array(flashBytes).fill(0xff)
    readonly uniqueId: Uint8Array
    /** How often each sector was erased. */
    readonly erased = new Uint32Array(flashBytes / sectorBytes)
    /** How many pages were programmed. */
    programmed = 0
    /** Pages in which a bit was to become 1 again: without an erase it cannot. */
    refused = 0
    /** Called with each change, for a copy elsewhere. */
    onChange?: (write: FlashWrite) => void
    /**
     * Called before each erased sector and each programmed page; what it returns is how much of it is done before the power fails:
     * 0 to 1, or undefined where it does not.
     */
    powerFailure?: (write: FlashWrite) => number | undefined

    constructor({ contents, uniqueId = "e6609103c3481f2b" }: FlashMemoryOptions = {}) {
        if (contents) this.contents.set(contents.subarray(0, flashBytes))
        this.uniqueId = Uint8Array.from(Buffer.from(uniqueId, "hex"))
        if (this.uniqueId.length !== 8) throw new RangeError("the identifier of a flash has 16 hex digits")
    }

    /** @returns milliseconds @throws PowerFailure */
    erase(offset: number, length: number): number {
        const first = Math.floor(offset / sectorBytes)
        const end = Math.ceil((offset + length) / sectorBytes)
        for (let sector = first; sector < end; sector++) {
            const start = (sector * sectorBytes) % flashBytes
            const done = this.begin({ kind: "erase", offset: start, length: sectorBytes })
            // An erase that is cut short leaves cells half way: some read as erased already.
            this.contents.fill(0xff, start, start + Math.floor(sectorBytes * done))
            this.erased[start / sectorBytes]!++
            this.end({ kind: "erase", offset: start, length: sectorBytes }, done)
        }
        return (end - first) * sectorEraseMs
    }

    /** Programming makes zeros, never ones. @returns milliseconds @throws PowerFailure */
    program(offset: number, bytes: Uint8Array): number {
        const pages = Math.ceil(bytes.length / pageBytes)
        for (let page = 0; page < pages; page++) {
            const part = bytes.subarray(page * pageBytes, (page + 1) * pageBytes)
            const start = (offset + page * pageBytes) % flashBytes
            const write: FlashWrite = { kind: "program", offset: start, length: part.length }
            const done = this.begin(write)
            const count = Math.floor(part.length * done)
            for (let i = 0; i < count; i++) {
                if (part[i]! & ~this.contents[start + i]!) this.refused++
                this.contents[start + i]! &= part[i]!
            }
            this.programmed++
            this.end(write, done)
        }
        return pages * (pageTransferMs + pageProgramMs)
    }

    private begin(write: FlashWrite): number {
        return this.powerFailure?.(write) ?? 1
    }

    private end(write: FlashWrite, done: number): void {
        this.onChange?.(write)
        if (done < 1) throw new PowerFailure(`the power fails in a flash ${write.kind}`)
    }
}
