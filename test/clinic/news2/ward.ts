import { randomBytes } from "node:crypto"
import { Clinic } from "../../../clinic/index.ts"
import { silentLog } from "../../../host/log.ts"
import { ManualClock } from "../../support/clock.ts"
import { alarmEvent, TestMote } from "../../support/mote.ts"
import { delivery, measurement } from "../support.ts"
import { newStore } from "../stores.ts"

/** A clinic with one patient whose mote reports what it is told to. */
export async function ward() {
    const clock = new ManualClock()
    const store = await newStore()
    const key = randomBytes(32)
    const open = () => Clinic.open({ store, clock, random: randomBytes, key, log: silentLog })
    const clinic = await open()
    const { id: patient } = await clinic.patients.add({ given: "Ada", family: "Beck", ward: "North", bed: "3" })
    const { mote, secret } = await clinic.motes.register(patient)
    const sealer = new TestMote({ kid: mote.kid, secret })
    /** A reading of now. */
    const measure = async (values: Record<string, number>) => {
        const now = clock.now()
        const pack = Object.entries(values).map(([name, value]) =>
            measurement(name, value, now, name === "config" ? { unit: "count" } : {}),
        )
        await clinic.ingest([delivery(sealer.seal(pack, now), now)])
    }
    /** What the mote says of its limits. */
    const alarm = async (kind: string, id: number, raised: boolean, value: number) => {
        const now = clock.now()
        const event = alarmEvent(kind, raised, now, { id, value })
        await clinic.ingest([delivery(sealer.sealAlarms([event], now), now, "alarm")])
    }
    /** For so long, a reading every 30 s and a look at the scores. */
    const live = async (seconds: number, values?: Record<string, number>, watched = clinic) => {
        for (let s = 0; s < seconds; s += 30) {
            await clock.advance(30_000)
            if (values) await measure(values)
            await watched.news2Watch.check()
        }
    }
    const alarms = async () => {
        const found = await clinic.alarms.ofPatient(patient, 100)
        const scores = found.filter(({ kind }) => kind.startsWith("news2"))
        return scores.map(({ kind, clearedAt }) => `${kind} ${clearedAt === null ? "lasts" : "over"}`).sort()
    }
    return { clock, clinic, open, patient, mote, measure, alarm, live, alarms }
}

export const well = { hr: 72, spo2: 98, temp: 36.8 }
export const calm = { respiration: 16, systolic: 120, oxygen: "air", consciousness: "alert" } as const
