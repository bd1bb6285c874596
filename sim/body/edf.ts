import { UserError } from "../../host/errors.ts"

/*
 * EDF and EDF+ (Kemp et al., Electroencephalogr Clin Neurophysiol 1992, and Clinical Neurophysiology 2003): a header in ASCII, then records
 * of a fixed duration in which each signal has its 16-bit samples.
 */

const version = "0       "
const headerBytes = 256
const signalBytes = 256
const maxSignals = 512
const annotations = "EDF Annotations"
/** Fields of all signals stand together: first all labels, then all transducers, and so on. */
const fields = {
    label: 16,
    transducer: 80,
    unit: 8,
    leastPhysical: 8,
    mostPhysical: 8,
    leastDigital: 8,
    mostDigital: 8,
    filter: 80,
    samples: 8,
    reserved: 32,
} as const
type Field = keyof typeof fields

interface Signal {
    label: string
    /** Of each record. */
    samples: number
    /** Bytes of a record before it. */
    offset: number
    /** Physical value of a digital one: scale · value + shift. */
    scale: number
    shift: number
}

export function isEdf(bytes: Buffer): boolean {
    return bytes.length >= headerBytes && bytes.toString("latin1", 0, version.length) === version
}

/** A file of EDF or EDF+, in which no time is left out. */
export class Edf {
    private readonly bytes: Buffer
    private readonly name: string
    private readonly start: number
    private readonly records: number
    private readonly recordBytes: number
    private readonly recordS: number
    private readonly signals: readonly Signal[]

    /** @throws UserError if it is not what the standard says, is cut off, or has gaps */
    constructor(bytes: Buffer, name: string) {
        this.bytes = bytes
        this.name = name
        if (this.text(192, 44).startsWith("EDF+D")) throw this.wrong("it has gaps (EDF+D)")
        const count = this.whole(252, 4, 1, maxSignals)
        this.start = this.whole(184, 8, 0, bytes.length)
        if (this.start !== headerBytes + count * signalBytes)
            throw this.wrong("its header has another length than it says")
        this.recordS = this.number(244, 8)
        if (this.recordS <= 0) throw this.wrong("its records have no duration")
        let offset = 0
        this.signals = Array.from({ length: count }, (_, i) => {
            const signal = this.signal(i, count, offset)
            offset += 2 * signal.samples
            return signal
        })
        this.recordBytes = offset
        this.records = this.whole(236, 8, 1, Number.MAX_SAFE_INTEGER)
        if (this.start + this.records * this.recordBytes !== bytes.length)
            throw this.wrong(`${bytes.length} bytes, ${this.start + this.records * this.recordBytes} by its header`)
    }

    /**
     * Samples of some signals, and how many there are a second.
     * @param wanted labels or numbers from 1; undefined: the only one
     * @throws UserError if there is no such signal, or their rates differ
     */
    columns(wanted: string[] | undefined): { columns: Float64Array[]; rate: number } {
        const own = this.signals.filter(({ label }) => label !== annotations)
        if (!wanted && own.length !== 1)
            throw new UserError(
                `${this.name}: one signal of raw PPG expected, found ${this.list()}: choose one with --column`,
            )
        const chosen = wanted?.map(one => this.find(one)) ?? own
        if (new Set(chosen).size < chosen.length) throw new UserError(`${this.name}: the same signal is named twice`, 2)
        const { samples } = chosen[0]!
        if (chosen.some(signal => signal.samples !== samples))
            throw new UserError(`${this.name}: the two signals have different rates`)
        return { columns: chosen.map(signal => this.samplesOf(signal)), rate: samples / this.recordS }
    }

    private samplesOf({ samples, offset, scale, shift }: Signal): Float64Array {
        const values = new Float64Array(this.records * samples)
        for (let record = 0; record < this.records; record++) {
            const at = this.start + record * this.recordBytes + offset
            for (let i = 0; i < samples; i++)
                values[record * samples + i] = scale * this.bytes.readInt16LE(at + 2 * i) + shift
        }
        return values
    }

    private find(wanted: string): Signal {
        const own = this.signals.filter(({ label }) => label !== annotations)
        const byLabel = own.find(({ label }) => label.toLowerCase() === wanted.trim().toLowerCase())
        const found = byLabel ?? (/^\d+$/.test(wanted) ? this.signals[Number(wanted) - 1] : undefined)
        if (!found || !own.includes(found)) throw new UserError(`${this.name}: no signal ${wanted}: ${this.list()}`, 2)
        return found
    }

    private list(): string {
        const names = this.signals.map(({ label }, i) => `${i + 1} (${JSON.stringify(label).slice(1, -1)})`)
        return `signals ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`
    }

    private signal(i: number, count: number, offset: number): Signal {
        const at = (field: Field) => {
            let before = 0
            for (const name of Object.keys(fields) as Field[]) {
                if (name === field) break
                before += fields[name]
            }
            return headerBytes + count * before + i * fields[field]
        }
        const label = this.text(at("label"), fields.label)
        const samples = this.whole(at("samples"), fields.samples, 1, this.bytes.length)
        if (label === annotations) return { label, samples, offset, scale: 1, shift: 0 }
        const [low, high] = [this.number(at("leastDigital"), 8), this.number(at("mostDigital"), 8)]
        const [least, most] = [this.number(at("leastPhysical"), 8), this.number(at("mostPhysical"), 8)]
        if (low >= high || least === most) throw this.wrong(`signal ${i + 1} has no range`)
        const scale = (most - least) / (high - low)
        return { label, samples, offset, scale, shift: least - scale * low }
    }

    private text(at: number, length: number): string {
        if (at + length > this.bytes.length) throw this.wrong("it ends within its header")
        return this.bytes.toString("latin1", at, at + length).trim()
    }

    private number(at: number, length: number): number {
        const text = this.text(at, length)
        if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw this.wrong(`byte ${at} is not a number`)
        return Number(text)
    }

    private whole(at: number, length: number, least: number, most: number): number {
        const value = this.number(at, length)
        if (!Number.isInteger(value) || value < least || value > most)
            throw this.wrong(`byte ${at}: ${value} is out of range`)
        return value
    }

    private wrong(why: string): UserError {
        return new UserError(`${this.name} is no EDF file that can be read: ${why}`)
    }
}
