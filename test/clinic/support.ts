import { randomBytes } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { Clinic } from "../../clinic/index.ts"
import type { Delivery } from "../../wire/batch.ts"
import type { Purpose } from "../../wire/envelope.ts"
import type { Measurement } from "../../wire/pack.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { newStore } from "./stores.ts"

/** A core on a database in memory. */
export async function memoryClinic(clock: Clock = new ManualClock()): Promise<Clinic> {
    const key = randomBytes(32)
    const store = await newStore()
    return await Clinic.open({ store, clock, random: randomBytes, key, log: silentLog })
}

/** A core on a database in memory that can be opened again, as after a restart, with one patient and their mote. */
export async function oneMote(clock = new ManualClock()) {
    const store = await newStore()
    const key = randomBytes(32)
    const open = () => Clinic.open({ store, clock, random: randomBytes, key, log: silentLog })
    const clinic = await open()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    return { clock, store, open, clinic, patient, mote, sealer: new TestMote({ kid: mote.kid, secret }) }
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

let nextId = 0

export function delivery(envelope: Uint8Array, receivedAt: number, purpose: Purpose = "vitals"): Delivery {
    return { id: nextId++, purpose, receivedAt: Math.trunc(receivedAt), envelope }
}
