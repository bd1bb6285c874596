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

/** The request to test/src/senml.ts for the pack of these readings. */
export function packQuestion(readings: MadeReading[], o: PackOptions = {}): Buffer {
    const question = Buffer.alloc(21 + 20 * readings.length)
    question.writeDoubleLE(o.shift ?? -1, 0)
    question.writeDoubleLE(o.now ?? 0, 8)
    question.writeUInt32LE(o.lost ?? 0, 16)
    question[20] = readings.length
    readings.forEach((r, i) => {
        const at = 21 + 20 * i
        question.writeUInt32LE(r.atMs, at)
        question.writeUInt16LE(Math.round(r.quality * 1000), at + 4)
        const flags = (r.motion ? 1 : 0) | (r.bpm === undefined ? 0 : 2)
        question[at + 7] = flags | (r.tempC === undefined ? 0 : 4) | (r.spo2 === undefined ? 0 : 8)
        question.writeFloatLE(r.bpm ?? 0, at + 8)
        question.writeFloatLE(r.tempC ?? 0, at + 12)
        question.writeFloatLE(r.spo2 ?? 0, at + 16)
    })
    const { version = 0, refused, refusal = new Uint8Array() } = o.note ?? {}
    const note = Buffer.alloc(o.note ? (refused === undefined ? 4 : 8) : 0)
    if (o.note) note.writeUInt32LE(version)
    if (refused !== undefined) note.writeUInt32LE(refused, 4)
    return Buffer.concat([question, note, refusal])
}
