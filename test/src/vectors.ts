// Does what test/wire/vectors.ts asks for: a letter and what goes with it; answers with bytes.
import { Event, setEvent, setId, setTime, slotBytes, TimeBase } from "../../src/alarms/slot"
import { Kind } from "../../src/alarms/kind"
import { writeEvent } from "../../src/alarms/event"
import { beginArray, endArray } from "../../src/link/cbor"
import { Purpose } from "../../src/link/transport"
import { makeRefusal } from "../../src/link/refusal"
import { MoteKeys, openDown, openReceipt, seal, startSealing } from "../../src/link/seal"
import { startPacks } from "../../src/link/pack"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"
import { Signal } from "../../src/platform/signal"

const kidBytes = 8
const nonceBytes = 13
const labels = [
    "vitalmote/2 up enc",
    "vitalmote/2 up mac",
    "vitalmote/2 receipt",
    "vitalmote/2 down enc",
    "vitalmote/2 down mac",
    "vitalmote mqtt",
    "vitalmote flash",
]
let keys: MoteKeys

function answer(order: string, bytes: Buffer): Buffer {
    switch (order) {
        // The identity: its keys, in the order of `labels`.
        case "i": {
            const kid = bytes.slice(0, kidBytes)
            keys = new MoteKeys(bytes.slice(kidBytes), kid)
            // As `deriveKeys`, which takes turns with others.
            keys.upEnc = keys.derive(labels[0])
            keys.upMac = keys.derive(labels[1])
            keys.receipt = keys.derive(labels[2])
            startPacks(10)
            return Buffer.concat(...labels.map(label => keys.derive(label)))
        }
        // A start.
        case "s":
            startSealing(keys, bytes.getAt(0, "u32"))
            return bytes
        case "v":
            return seal(bytes, Purpose.vitals).bytes
        case "a":
            return seal(bytes, Purpose.alarm).bytes
        case "r": {
            const receipt = openReceipt(bytes.slice(nonceBytes), bytes.slice(0, nonceBytes))
            return Buffer.from(receipt ? `${receipt.now} ${receipt.config}` : "none")
        }
        case "c":
            return openDown(keys, Purpose.config, bytes) || Buffer.from("none")
        case "d":
            return openDown(keys, Purpose.command, bytes) || Buffer.from("none")
        // A code and its parameters.
        case "f": {
            const parameters: number[] = []
            for (let at = 4; at < bytes.length; at += 4) parameters.push(bytes.getAt(at, "u32"))
            return makeRefusal(bytes.getAt(0, "u32"), parameters)
        }
        case "e":
            return alarmPack(bytes)
    }
    return Buffer.from("what?")
}

const eventBytes = 48
const nameAt = 32
const names = ["hr-low", "hr-high", "temp-low", "temp-high", "optical", "thermometer", "contact", "battery", "spo2-low"]

/**
 * Events of 48 bytes: 0, then each 1 where it is so: it begins, has a value, nobody knows when, there is no clock; f64 from
 * byte 8 on: id, value, ticks of Unix time, or, without a clock, ticks from the sealing; the name of the kind.
 */
function alarmPack(bytes: Buffer): Buffer {
    beginArray()
    for (let at = 0; at < bytes.length; at += eventBytes) {
        const kind = kindOf(bytes.slice(at + nameAt, at + eventBytes).toString())
        const event = bytes[at + 1] ? Event.raised : Event.cleared
        const slots = Buffer.alloc(Kind.count * slotBytes)
        const value = bytes[at + 2] ? bytes.getAt(at + 16, "f64") : undefined
        const ticks = bytes.getAt(at + 24, "f64")
        const isRelative = bytes[at + 4] === 1
        setId(slots, kind, bytes.getAt(at + 8, "f64"))
        setEvent(slots, kind, event, 0, value)
        const isUntimed = bytes[at + 3] === 1
        if (isUntimed) setTime(slots, kind, event, 0, TimeBase.unknown)
        else if (!isRelative) setTime(slots, kind, event, ticks, TimeBase.unix)
        writeEvent(slots, kind, event, isRelative ? undefined : ticks, -ticks)
    }
    return endArray(bytes.length / eventBytes)
}

/** By its name, behind which there may be zeros. */
function kindOf(padded: string): Kind {
    for (let kind = 0; kind < Kind.count; kind++) {
        const name = names[kind]
        if (padded.slice(0, name.length) === name && padded.charCodeAt(name.length) === 0) return kind
    }
    throw new Error("no such kind")
}

useSocket(new Signal(), question => {
    writeSocketNow(answer(question.slice(0, 1).toString(), question.slice(1)))
})
await openSocket("test.invalid", 1, 1000)
