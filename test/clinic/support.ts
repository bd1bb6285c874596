import { randomBytes } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { Clinic } from "../../clinic/index.ts"
import { openSqlite } from "../../clinic/store/sqlite/open.ts"
import type { Delivery } from "../../wire/batch.ts"
import { sealEnvelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, type MoteKeys } from "../../wire/keys.ts"
import { encodePack, type Measurement } from "../../wire/senml.ts"

/** A clock that stands still until somebody moves it. Timers of 0 ms fire, no others. */
export class StillClock implements Clock {
    private time: number

    constructor(time = Date.UTC(2024, 2, 1, 3)) {
        this.time = time
    }

    now(): number {
        return this.time
    }

    /** Backward, too. */
    forward(ms: number): void {
        this.time += ms
    }

    setTimeout(fn: () => void, ms: number): void {
        if (ms === 0) setImmediate(fn)
    }

    clearTimeout(): void {}
}

/** A core on a database in memory. */
export async function memoryClinic(clock: Clock = new StillClock()): Promise<Clinic> {
    const key = randomBytes(32)
    const store = openSqlite(":memory:")
    return await Clinic.open({ store, clock, random: randomBytes, key, log: silentLog })
}

export function measurement(name: string, value: number, time: number, more: Partial<Measurement> = {}): Measurement {
    return { name, unit: units[name] ?? "/", value, time, relative: false, ...more }
}

const units: Record<string, string> = {
    hr: "beat/min",
    temp: "Cel",
    spo2: "%",
    batt: "%EL",
    lost: "count",
}

/** Seals packs like a mote, for as long as there is no firmware in the test. */
export class SealingMote {
    readonly keys: MoteKeys
    readonly salt: Uint8Array
    boot: number
    seq = 0

    constructor(o: { kid: Uint8Array; secret: Uint8Array; boot?: number; salt?: Uint8Array }) {
        this.keys = deriveKeys(o.secret, o.kid)
        this.boot = o.boot ?? 1
        this.salt = o.salt ?? randomBytes(5)
    }

    /** The next envelope around a pack; `now` (unix ms) is when it is sent. */
    seal(pack: Measurement[], now: number, purpose: Purpose = "vitals"): Uint8Array {
        return this.sealBytes(encodePack(pack, this.keys.kid, now), purpose)
    }

    sealBytes(plaintext: Uint8Array, purpose: Purpose = "vitals"): Uint8Array {
        const { kid, upEnc, upMac } = this.keys
        const { boot, salt } = this
        const seq = this.seq++
        return sealEnvelope({ kid, upEnc, upMac, purpose, boot, salt, seq, plaintext })
    }
}

let nextId = 0

export function delivery(envelope: Uint8Array, receivedAt: number, purpose: Purpose = "vitals"): Delivery {
    return { id: nextId++, purpose, receivedAt: Math.trunc(receivedAt), envelope }
}
