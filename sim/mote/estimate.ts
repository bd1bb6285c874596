import { randomBytes } from "node:crypto"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore, type ClinicLink } from "../../router/index.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, kidBytes, secretBytes } from "../../wire/keys.ts"
import { decodePack, type Measurement } from "../../wire/pack.ts"
import type { Body } from "../body/index.ts"
import { wearableChips } from "../devices/chips.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { Mote } from "./mote.ts"
import { pipe } from "../time/pipe.ts"
import { VirtualClock } from "../time/clock.ts"

/** A mote's estimate for one window. */
export interface Estimate {
    /** End of the window in seconds from the first sample. */
    t: number
    /** Beats per minute; null if the mote has no estimate. */
    bpm: number | null
    /** From 0 to 1. */
    quality: number
    motion: boolean
    /** Oxygen saturation in percent, uncalibrated, where the window completes one; otherwise null. */
    spo2: number | null
}

/**
 * Maximum time from the end of a window until its reading is collected with others, sealed, sent, acknowledged and
 * relayed.
 */
const relayMs = 15_000
/** SenML times are multiples of 1/16 s, and the first sample is up to one sample period off. */
const gridMs = 250
const address = { host: "router.invalid", port: 5683 }

/**
 * Runs the real firmware on a simulated mote that a body wears, for this many seconds of virtual time, and reads what
 * the clinic receives.
 * @param report called for each window, in order
 */
export async function estimate(body: Body, seconds: number, report: (estimate: Estimate) => void): Promise<void> {
    const clock = new VirtualClock()
    const poweredAt = clock.now()
    const kid = randomBytes(kidBytes)
    const secret = randomBytes(secretBytes)
    const keys = deriveKeys(secret, kid)
    let startMs: number | undefined // when the optical chip took its first sample
    const clinic: ClinicLink = {
        keys: () => Promise.resolve([{ ...keys, config: 0 }]),
        keysOf: () => Promise.resolve([]),
        deliver: batch => {
            for (const { envelope, receivedAt } of batch) {
                const parsed = parseEnvelope(envelope)
                const plaintext = openEnvelope(parsed, keys.upEnc)
                // A rate or a saturation beyond the limits raises an alarm.
                if (parsed.purpose !== "vitals") continue
                for (const estimate of estimates(decodePack(plaintext, receivedAt), startMs!))
                    if (estimate.t <= seconds) report(estimate)
            }
            return Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" as const })))
        },
    }
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
    let flash = new Uint8Array(0)
    const mote = await Mote.start({
        clock,
        random: randomBytes,
        image: await buildFirmware(),
        flash: { load: () => flash, save: contents => void (flash = contents.slice()) },
        settings: {
            kid: kid.toString("hex"),
            secret: secret.toString("hex"),
            router: `coap+tcp://${address.host}:${address.port}`,
        },
        chips: wearableChips(
            clock,
            watched(body, seconds => (startMs ??= poweredAt + seconds * 1000)),
        ),
        connect: () => {
            const [moteEnd, routerEnd] = pipe(clock)
            router.accept(routerEnd)
            return Promise.resolve(moteEnd)
        },
    })
    const end = () => startMs !== undefined && clock.now() > startMs + seconds * 1000 + relayMs
    await clock.run(Infinity, end)
    mote.stop()
    const closed = router.close()
    await clock.run(10_000)
    await closed
    store.close()
}

/** The same body. `looked` is called with each moment at which its light is sampled. */
function watched(body: Body, looked: (seconds: number) => void): Body {
    const { ambientLight, acceleration } = body
    return {
        reflectance: (led, seconds) => {
            looked(seconds)
            return body.reflectance(led, seconds)
        },
        skinTemperature: seconds => body.skinTemperature(seconds),
        ...(ambientLight && { ambientLight: seconds => ambientLight.call(body, seconds) }),
        ...(acceleration && { acceleration: seconds => acceleration.call(body, seconds) }),
    }
}

/** The readings of a pack; records with the same time belong together. */
function estimates(measurements: Measurement[], startMs: number): Estimate[] {
    const moments = new Map<number, Map<string, number>>()
    for (const { time, name, value } of measurements) {
        const values = moments.get(time) ?? new Map<string, number>()
        moments.set(time, values.set(name, value))
    }
    // Other records, such as the configuration and the battery, have times of their own.
    return [...moments]
        .filter(([, values]) => values.has("hr-q"))
        .sort(([a], [b]) => a - b)
        .map(([time, values]) => ({
            t: Math.round((time - startMs) / gridMs) / (1000 / gridMs),
            bpm: values.get("hr") ?? null,
            quality: values.get("hr-q") ?? 0,
            motion: values.get("motion") === 1,
            spo2: values.get("spo2") ?? null,
        }))
}
