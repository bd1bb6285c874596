import { randomBytes } from "node:crypto"
import { silentLog } from "../host/log.ts"
import type { ByteStream } from "../host/stream.ts"
import { MqttBroker } from "../router/mqtt/broker.ts"
import { Router, SqliteStore } from "../router/index.ts"
import { Max30102, pipe, runProgram, syntheticBody, VirtualClock, wearableChips } from "../sim/index.ts"
import { deriveKeys, eui } from "../wire/keys.ts"
import { assumed, boardCurrents, sensorCurrents, type BoardCurrents } from "./currents.ts"
import type { Row } from "./row.ts"

/** Names of `PowerMode` in the firmware, by number. */
const modes = ["continuous", "interval", "standby"] as const
type Mode = (typeof modes)[number]
const transports = ["coap+tcp", "mqtt"] as const
type Transport = (typeof transports)[number]

const everyS = 300
/** The first minutes do not count, because the thermometer has not settled. */
const settleS = 2 * everyS
const measuredS = 4 * everyS

/** Activity of the firmware during `measuredS`, measured in the VM. */
export interface Duty {
    /** As shares of the time. */
    awake: number
    sensing: number
    /** Mean current through the LEDs. */
    ledMa: number
    /** TCP payload and segments per hour. */
    sentBytes: number
    receivedBytes: number
    sentSegments: number
    receivedSegments: number
    starts: number
}

/** Battery life by power mode, board and transport, with everything that it is computed from. */
export async function bench(): Promise<Row[]> {
    const rows: Row[] = []
    const lives: Row[] = []
    for (const transport of transports)
        for (const mode of modes) {
            console.error(`${mode}, ${transport}: ${settleS + measuredS} s`)
            const duty = await measure(mode, transport)
            rows.push(...dutyRows(`${mode}, ${transport}`, duty))
            for (const board of boardCurrents) {
                if (mode === "standby" && !board.standby) continue
                const mA = meanMa(board, duty)
                const days = (assumed.batteryMah.value * assumed.usable.value) / mA / 24
                lives.push({
                    what: `battery life, ${board.name}, ${mode}, ${transport}`,
                    value: days,
                    unit: "days",
                    note: `${mA.toPrecision(3)} mA; estimated`,
                })
            }
        }
    return [...lives, ...rows, ...sourceRows()]
}

/** Mean battery current in mA. */
export function meanMa(board: BoardCurrents, duty: Duty): number {
    const { awake, ledMa, receivedSegments, sensing, sentSegments, starts } = duty
    const asleep = board.standby ? board.standby.mA : board.connected.mA
    const anHour = (ms: number) => ms / 3_600_000
    const transmitting = anHour(sentSegments * assumed.transmitMs.value)
    const receiving = anHour(receivedSegments * assumed.receiveMs.value + starts * assumed.joinS.value * 1000)
    const converting = (sensing * assumed.conversionMs.value) / 2000
    const { opticalOn, opticalOff, thermometerOn, thermometerOff } = sensorCurrents
    const { accelerometerOn, accelerometerOff } = sensorCurrents
    return (
        awake * board.connected.mA +
        (1 - awake) * asleep +
        transmitting * board.transmit.mA +
        receiving * board.receive.mA +
        ledMa +
        sensing * (opticalOn.mA + accelerometerOn.mA) +
        (1 - sensing) * (opticalOff.mA + accelerometerOff.mA) +
        converting * thermometerOn.mA +
        thermometerOff.mA
    )
}

async function measure(mode: Mode, transport: Transport): Promise<Duty> {
    const clock = new VirtualClock()
    const secret = randomBytes(32)
    const keys = deriveKeys(secret, randomBytes(8))
    const clinic = {
        keysOf: () => Promise.resolve([]),
        deliver: (batch: { id: number }[]) =>
            Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" as const }))),
        keys: () => Promise.resolve([{ ...keys, config: 0 }]),
    }
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
    const { ingest, keyring } = router
    const broker = new MqttBroker({ clock, random: randomBytes, ingest, keyring, log: silentLog })
    const chips = wearableChips(clock, syntheticBody({ seed: 1, bpm: 72, spo2: 97 }))
    const optical = chips[0] as Max30102
    const counts = { sentBytes: 0, receivedBytes: 0, sentSegments: 0, receivedSegments: 0 }
    const counted = (stream: ByteStream, way: "sent" | "received") => {
        const write = stream.write.bind(stream)
        stream.write = bytes => {
            counts[`${way}Bytes`] += bytes.length
            counts[`${way}Segments`]++
            write(bytes)
        }
        return stream
    }
    let starts = 0
    let isOff = false
    const { mote, run } = await runProgram("test/src/standby.ts", {
        ...{ clock, chips },
        settings: {
            ...{ kid: eui(keys.kid), secret: secret.toString("hex") },
            ...{ router: `${transport}://router.invalid` },
            ...{ power: modes.indexOf(mode), every: everyS },
        },
        connect: () => {
            if (isOff) return Promise.reject(new Error("off"))
            const [near, far] = pipe(clock)
            const server = transport === "mqtt" ? broker : router
            server.accept(counted(far, "received"))
            return Promise.resolve(counted(near, "sent"))
        },
        log: line => {
            const [, ms] = /^standby (\d+)$/.exec(line) ?? []
            if (ms === undefined) return
            clock.setTimeout(() => {
                isOff = true
                mote.stop()
                clock.setTimeout(() => {
                    isOff = false
                    starts++
                    void mote.powerUp()
                }, Number(ms))
            }, 0)
        },
    })
    const reset = () => {
        Object.assign(counts, {
            ...{ sentBytes: 0, receivedBytes: 0, sentSegments: 0, receivedSegments: 0 },
        })
        starts = 0
    }
    await run(settleS)
    reset()
    const chargeBefore = optical.ledCharge()
    let sensing = 0
    let awake = 0
    for (let second = 0; second < measuredS; second++) {
        await run(1)
        if (isSampling(optical)) sensing++
        if (!isOff) awake++
    }
    const ledMa = (optical.ledCharge() - chargeBefore) / measuredS
    mote.stop()
    broker.close()
    await Promise.all([router.close(), run(10)])
    store.close()
    const anHour = 3600 / measuredS
    return {
        awake: awake / measuredS,
        sensing: sensing / measuredS,
        ledMa,
        sentBytes: counts.sentBytes * anHour,
        receivedBytes: counts.receivedBytes * anHour,
        sentSegments: counts.sentSegments * anHour,
        receivedSegments: counts.receivedSegments * anHour,
        starts: starts * anHour,
    }
}

/** Reads the mode configuration of the MAX30102: neither shutdown nor idle. Reading has no effect on the firmware. */
function isSampling(optical: Max30102): boolean {
    optical.write(Uint8Array.of(0x09))
    const mode = optical.read(1)[0]!
    return (mode & 0x80) === 0 && (mode & 7) !== 0
}

function dutyRows(what: string, duty: Duty): Row[] {
    const percent = (share: number) => 100 * share
    const note = `${measuredS / 60} minutes in the VM, a measurement each ${everyS} s`
    return [
        { what: `${what}: awake`, value: percent(duty.awake), unit: "%", note },
        { what: "  sensors on", value: percent(duty.sensing), unit: "%" },
        { what: "  mean current through the LEDs", value: duty.ledMa, unit: "mA" },
        { what: "  sent", value: duty.sentBytes, unit: "bytes an hour", note: "payload of TCP" },
        { what: "  in segments", value: duty.sentSegments, unit: "an hour" },
        { what: "  received", value: duty.receivedBytes, unit: "bytes an hour" },
        { what: "  in segments", value: duty.receivedSegments, unit: "an hour" },
        { what: "  starts", value: duty.starts, unit: "an hour" },
    ]
}

function sourceRows(): Row[] {
    const rows: Row[] = []
    for (const { name, ...currents } of boardCurrents)
        for (const [state, current] of Object.entries(currents))
            if (current)
                rows.push({
                    what: `${name}, ${state}`,
                    value: current.mA,
                    unit: "mA",
                    note: current.source,
                })
    for (const [what, { mA, source }] of Object.entries(sensorCurrents))
        rows.push({ what, value: mA, unit: "mA", note: source })
    for (const [what, row] of Object.entries(assumed)) rows.push({ what, ...row })
    return rows
}
