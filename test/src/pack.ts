// Answers readings, as test/firmware/pack.test.ts encodes them, with the pack that a mote makes of them.
import { ConfigNote } from "../../src/link/pack"
import { addLost, queueReading, startQueue, takeLost } from "../../src/link/queue"
import { Reading } from "../../src/reading"
import { startPacks, writePack } from "../../src/link/pack"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

const maxReadings = 30
// A pause takes the room of a reading.
startQueue(2 * maxReadings, 1, maxReadings)
startPacks(maxReadings)
const reading = new Reading()

/** Version, and where there is more the version that was refused and why. */
function noteIn(bytes: Buffer): ConfigNote {
    const version = bytes.getAt(0, "u32")
    if (bytes.length === 4) return { version, refused: undefined, refusal: undefined }
    return { version, refused: bytes.getAt(4, "u32"), refusal: bytes.slice(8) }
}

useSocket(new Signal(), question => {
    const shift = question.getAt(0, "f64")
    const now = question.getAt(8, "f64")
    takeLost()
    addLost(question.getAt(16, "u32"))
    const count = question[20]
    let at = 21
    const number = () => {
        at += 4
        return question.getAt(at - 4, "f32")
    }
    for (let i = 0; i < count; i++) {
        const flags = question[at + 6]
        reading.atMs = question.getAt(at, "u32")
        reading.quality = question.getAt(at + 4, "u16") / 1000
        reading.motion = (flags & 1) !== 0
        at += 7
        reading.bpm = flags & 2 ? number() : undefined
        reading.tempC = flags & 4 ? number() : undefined
        reading.spo2 = flags & 8 ? number() : undefined
        queueReading(reading)
    }
    const note = at < question.length ? noteIn(question.slice(at)) : undefined
    writeSocketNow(writePack(count, shift < 0 ? undefined : shift, now, note))
})
await openSocket("test.invalid", 1, 1000)
