import { randomBytes } from "node:crypto"
import type { TestContext } from "node:test"
import { Clinic, openSqlite } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore, type ClinicLink } from "../../router/index.ts"
import type { Body } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { Mote } from "../../sim/mote/mote.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import type { Flash } from "../../sim/vm/machine.ts"
import { memoryFlash } from "../../sim/mote/program.ts"

/** The router asks the clinic for keys every ten seconds. */
const keysRefreshS = 11
const routerHost = "router.invalid"

export interface Wearer {
    mote: Mote
    patient: number
    kid: Uint8Array
    flash: Flash
    /** When its power came on, unix ms. */
    poweredAt: number
}

/** The whole way, skin to clinic, in virtual time: real bytecode, the router's and the clinic's own cores. */
export class System {
    readonly clock = new VirtualClock()
    clinic!: Clinic
    router!: Router
    /** While false the clinic cannot be reached. */
    clinicIsUp = true
    /** While false motes cannot reach the router. */
    routerIsUp = true
    private routerStore = SqliteStore.inMemory()
    private cuts = new Set<() => void>()

    static async start(t: TestContext): Promise<System> {
        const system = new System()
        system.clinic = await Clinic.open({
            store: openSqlite(":memory:"),
            clock: system.clock,
            random: randomBytes,
            key: randomBytes(32),
            log: silentLog,
        })
        system.startRouter()
        t.after(async () => {
            const closed = system.router.close()
            await system.clock.run(10_000)
            await closed
            system.routerStore.close()
            await system.clinic.close()
        })
        return system
    }

    /** A patient with a mote that is on. */
    async admit(body: Body): Promise<Wearer> {
        const { clinic, clock } = this
        const patient = await clinic.patients.add({ given: "A", family: "Patient" })
        const { mote, secret } = await clinic.motes.register(patient.id)
        await this.run(keysRefreshS) // until the router knows the new mote
        const flash = memoryFlash()
        const poweredAt = clock.now()
        const wearable = await Mote.start({
            clock,
            random: randomBytes,
            image: await buildFirmware(),
            flash,
            settings: {
                kid: Buffer.from(mote.kid).toString("hex"),
                secret: Buffer.from(secret).toString("hex"),
                router: `coap+tcp://${routerHost}:5683`,
            },
            chips: wearableChips(clock, body),
            connect: host => {
                if (!this.routerIsUp || host !== routerHost) return Promise.reject(new Error("connection refused"))
                const [moteEnd, routerEnd] = pipe(clock)
                this.cuts.add(() => routerEnd.destroy())
                this.router.accept(routerEnd)
                return Promise.resolve(moteEnd)
            },
        })
        return { mote: wearable, patient: patient.id, kid: mote.kid, flash, poweredAt }
    }

    /** The router's process is gone and comes back with its store after so many seconds. */
    async restartRouter(seconds: number): Promise<void> {
        this.routerIsUp = false
        for (const cut of this.cuts) cut()
        this.cuts.clear()
        const closed = this.router.close()
        await this.run(seconds)
        await closed
        this.startRouter()
        this.routerIsUp = true
    }

    run(seconds: number, until?: () => boolean): Promise<void> {
        return this.clock.run(seconds * 1000, until)
    }

    /** All values of one kind of a patient, oldest first; null where the mote said that it does not know. */
    async values(patient: number, name: "hr" | "temp"): Promise<{ time: number; value: number | null }[]> {
        const found = await this.clinic.observations.search({
            patients: [patient],
            names: [name],
            newestFirst: false,
            limit: 100_000,
        })
        return found.map(({ time, value }) => ({ time, value }))
    }

    private startRouter(): void {
        const { clock } = this
        const link: ClinicLink = {
            keysOf: () => Promise.resolve([]),
            deliver: batch => {
                if (!this.clinicIsUp) return Promise.reject(new Error("the clinic is down"))
                return this.clinic.ingest(batch)
            },
            keys: () => {
                if (!this.clinicIsUp) return Promise.reject(new Error("the clinic is down"))
                return this.clinic.keys()
            },
        }
        const options = { clock, random: randomBytes, store: this.routerStore, log: silentLog }
        this.router = new Router({ ...options, clinic: link })
    }
}
