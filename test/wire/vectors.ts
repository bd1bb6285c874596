import { readFileSync } from "node:fs"
import { decodeAlarms, encodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { encodeBatch, encodeKeys, encodeResults, type DeliveryResult } from "../../wire/batch.ts"
import { encodeConfig, makeCommand, makeConfig } from "../../wire/config.ts"
import { sealEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, hkdf, type CommandName } from "../../wire/keys.ts"
import { decodePack, encodePack, tickMs, type Measurement } from "../../wire/pack.ts"
import { makeReceipt } from "../../wire/receipt.ts"
import { encodeRefusal } from "../../wire/refusal.ts"
import { refusalKinds, type Refusal, type RefusalKind } from "../../wire/tables/refusals.ts"
import { configFields, type ConfigValues } from "../../wire/tables/settings.ts"
import { openChannel } from "../firmware/channel.ts"
import { packQuestion, type MadeReading } from "../firmware/packing.ts"

/** `wire/vectors.json`. Bytes are in hex; what a mote or the clinic has to make is in the fields that end with `Hex`. */
export interface Vectors {
    kid: string
    secret: string
    keys: Record<string, string>
    packs: {
        name: string
        /** How the firmware makes it; absent: it does not do so here. */
        made?: {
            readings: MadeReading[]
            /** Ticks of 1/16 s: what makes the mote's time unix time, where it has a clock; and the moment of sealing. */
            shift?: number
            now: number
            lost?: number
            note?: { version: number; refused?: number; refusal?: Refusal }
        }
        /** Unix ms at which it is sealed, and at which it arrives. */
        sealedAt: number
        arrivedAt: number
        packHex: string
        measurements: Measurement[]
    }[]
    alarms: { events: AlarmEvent[]; arrivedAt: number; packHex: string }
    /** The start that seals them; their `seq` is their place. */
    start: { boot: number; salt: string }
    envelopes: { purpose: Purpose; plaintextHex: string; envelopeHex: string }[]
    receipts: { nonce: string; now: number; config: number; receiptHex: string }[]
    configurations: {
        version: number
        values: Partial<ConfigValues>
        /** The random part of the nonce. */
        unique: string
        plaintextHex: string
        envelopeHex: string
    }[]
    commands: { version: number; command: CommandName; unique: string; envelopeHex: string }[]
    refusals: { refusal: Refusal; refusalHex: string }[]
    batch: { id: number; purpose: Purpose; receivedAt: number; envelope: string }[]
    batchHex: string
    results: DeliveryResult[]
    resultsHex: string
    routerKeys: { config: number; sealedConfig?: string; commands?: { name: CommandName; sealed: string }[] }[]
    routerKeysHex: string
}

const format = "vitalmote/2"
const labels = [
    ...["up enc", "up mac", "receipt", "down enc", "down mac"].map(use => `${format} ${use}`),
    ...["vitalmote mqtt", "vitalmote flash"],
]
const file = new URL("../../wire/vectors.json", import.meta.url)

export function readVectors(): Vectors {
    return JSON.parse(readFileSync(file, "utf8")) as Vectors
}

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
export const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))

/** The vectors with all bytes as the host makes them; what a pack says as the host reads it. */
export function madeByHost(v: Vectors): Vectors {
    const keys = deriveKeys(bytes(v.secret), bytes(v.kid))
    const { kid, upEnc, upMac, mqtt } = keys
    const fixed = (unique: string) => () => bytes(unique)
    const packs = v.packs.map(pack => {
        const packed = encodePack(pack.measurements, pack.sealedAt)
        return { ...pack, packHex: hex(packed), measurements: decodePack(packed, pack.arrivedAt) }
    })
    const { events, arrivedAt } = v.alarms
    const alarmPack = encodeAlarms(events, arrivedAt)
    const alarms = { events: decodeAlarms(alarmPack, arrivedAt), arrivedAt, packHex: hex(alarmPack) }
    return {
        ...v,
        keys: Object.fromEntries(labels.map(label => [label, hex(hkdf(bytes(v.secret), kid, label, 32))])),
        packs,
        alarms,
        envelopes: [packs[1]!, alarms].map(({ packHex: plaintextHex }, seq) => {
            const purpose = seq === 0 ? "vitals" : "alarm"
            const start = { boot: v.start.boot, salt: bytes(v.start.salt), seq }
            const envelope = sealEnvelope({ kid, upEnc, upMac, purpose, ...start, plaintext: bytes(plaintextHex) })
            return { purpose, plaintextHex, envelopeHex: hex(envelope) }
        }),
        receipts: v.receipts.map(r => ({
            ...r,
            receiptHex: hex(makeReceipt({ now: r.now, config: r.config }, bytes(r.nonce), keys.receipt)),
        })),
        configurations: v.configurations.map(c => ({
            ...c,
            plaintextHex: hex(encodeConfig(c.values, c.version)),
            envelopeHex: hex(makeConfig(c.values, c.version, keys, fixed(c.unique))),
        })),
        commands: v.commands.map(c => ({
            ...c,
            envelopeHex: hex(makeCommand(c.command, c.version, keys, fixed(c.unique))),
        })),
        refusals: v.refusals.map(({ refusal }) => ({ refusal, refusalHex: hex(encodeRefusal(refusal)) })),
        batchHex: hex(encodeBatch(v.batch.map(d => ({ ...d, envelope: bytes(d.envelope) })))),
        resultsHex: hex(encodeResults(v.results)),
        routerKeysHex: hex(
            encodeKeys(
                v.routerKeys.map(({ config, sealedConfig, commands }, generation) => ({
                    ...{ kid, upMac, receipt: keys.receipt, mqtt, config, generation },
                    ...(sealedConfig !== undefined && { sealedConfig: bytes(sealedConfig) }),
                    ...(commands && { commands: commands.map(c => ({ name: c.name, sealed: bytes(c.sealed) })) }),
                })),
            ),
        ),
    }
}

/** The vectors with all bytes that are a mote's to make as its bytecode makes them in the VM. */
export async function madeByFirmware(v: Vectors): Promise<Vectors> {
    const { ask } = await openFirmware(v)
    const keys = await ask("i", bytes(v.kid + v.secret))
    const packer = await openChannel("test/src/pack.ts")
    const packs = []
    for (const pack of v.packs) {
        if (!pack.made) {
            packs.push(pack)
            continue
        }
        const { readings, now, shift, lost, note } = pack.made
        const { refusal, ...rest } = note ?? { version: 0 }
        const question = packQuestion(readings, {
            now,
            ...(shift !== undefined && { shift }),
            ...(lost !== undefined && { lost }),
            ...(note && { note: { ...rest, ...(refusal && { refusal: encodeRefusal(refusal) }) } }),
        })
        packs.push({ ...pack, packHex: hex(await packer.ask(question)) })
    }
    const alarmPack = hex(await ask("e", Buffer.concat(v.alarms.events.map(e => eventBytes(e, v.alarms.arrivedAt)))))
    const boot = Buffer.alloc(4)
    boot.writeUInt32LE(v.start.boot)
    await ask("s", boot)
    const envelopes = []
    for (const { purpose, plaintextHex } of v.envelopes) {
        const envelope = await ask(purpose === "vitals" ? "v" : "a", bytes(plaintextHex))
        envelopes.push({ purpose, plaintextHex, envelopeHex: hex(envelope) })
    }
    const refusals = []
    for (const { refusal } of v.refusals)
        refusals.push({ refusal, refusalHex: hex(await ask("f", refusalNumbers(refusal))) })
    return {
        ...v,
        keys: Object.fromEntries(labels.map((label, i) => [label, hex(keys.subarray(32 * i, 32 * (i + 1)))])),
        packs,
        alarms: { ...v.alarms, packHex: alarmPack },
        envelopes,
        refusals,
    }
}

/** A mote in the VM that does what `test/src/vectors.ts` is asked, with `salt` for its random bytes. */
export async function openFirmware({ start }: Vectors) {
    const channel = await openChannel("test/src/vectors.ts", {
        random: size => Buffer.alloc(size, bytes(start.salt)),
    })
    return {
        ask: (order: string, question: Uint8Array) => channel.ask(Buffer.concat([Buffer.from(order), question])),
    }
}

/** See test/src/vectors.ts. A time without a clock is in ticks from the sealing, and not positive. */
function eventBytes(event: AlarmEvent, sealedAt: number): Buffer {
    const { kind, id, raised, value, time, relative, untimed } = event
    const bytes = Buffer.alloc(48)
    bytes[1] = raised ? 1 : 0
    bytes[2] = value === null ? 0 : 1
    bytes[3] = untimed ? 1 : 0
    bytes[4] = relative ? 1 : 0
    bytes.writeDoubleLE(id, 8)
    bytes.writeDoubleLE(value ?? 0, 16)
    bytes.writeDoubleLE((relative ? time - sealedAt : time) / tickMs, 24)
    bytes.write(kind, 32)
    return bytes
}

/** Code and parameters, 4 bytes each. */
function refusalNumbers(refusal: Refusal): Buffer {
    const { number, parameters } = (refusalKinds as Record<string, RefusalKind>)[refusal.code]!
    const values = parameters.map(name => {
        const value = refusal[name]
        return typeof value === "string" ? configFields.find(field => field.name === value)!.number : value!
    })
    const numbers = Buffer.alloc(4 * (1 + values.length))
    for (const [i, value] of [number, ...values].entries()) numbers.writeUInt32LE(value, 4 * i)
    return numbers
}
