/** A reading, as a mote creates it. */
export interface MadeReading {
    atMs: number
    bpm?: number
    quality: number
    motion: boolean
    tempC?: number
    spo2?: number
}

/** The configuration status in an envelope. */
export interface Note {
    version: number
    refused?: number
    refusal?: Uint8Array
}

/** Input for a pack. `shift` and `now` are in ticks of 1/16 s; `shift` converts mote time to Unix time. */
export interface PackOptions {
    shift?: number
    now?: number
    lost?: number
    note?: Note
}

/** The request to test/src/pack.ts for the pack of these readings. */
export function packQuestion(readings: MadeReading[], o: PackOptions = {}): Buffer {
    const question = Buffer.alloc(21)
    question.writeDoubleLE(o.shift ?? -1, 0)
    question.writeDoubleLE(o.now ?? 0, 8)
    question.writeUInt32LE(o.lost ?? 0, 16)
    question[20] = readings.length
    const made = readings.map(r => {
        const values = [r.bpm, r.tempC, r.spo2]
        const head = Buffer.alloc(7)
        head.writeUInt32LE(r.atMs)
        head.writeUInt16LE(Math.round(r.quality * 1000), 4)
        head[6] = values.reduce<number>(
            (flags, value, i) => flags | (value === undefined ? 0 : 2 << i),
            r.motion ? 1 : 0,
        )
        return Buffer.concat([head, Buffer.from(Float32Array.from(values.filter(value => value !== undefined)).buffer)])
    })
    const { version = 0, refused, refusal = new Uint8Array() } = o.note ?? {}
    const note = Buffer.alloc(o.note ? (refused === undefined ? 4 : 8) : 0)
    if (o.note) note.writeUInt32LE(version)
    if (refused !== undefined) note.writeUInt32LE(refused, 4)
    return Buffer.concat([question, ...made, note, refusal])
}
