import { randomBytes } from "node:crypto"
import { Clinic, openSqlite } from "../clinic/index.ts"
import { buildFirmware } from "../devicescript/build.ts"
import { silentLog } from "../host/log.ts"
import { Router, SqliteStore, type ClinicLink } from "../router/index.ts"
import { Mote, pipe, VirtualClock, wearableChips, type Body } from "../sim/index.ts"
import { memoryFlash } from "../sim/mote/program.ts"

/** The router asks the clinic for keys every ten seconds. */
const keysRefreshS = 11

/** Motes of real bytecode, the router's and the clinic's own cores, in virtual time and without a radio. */
export class AlarmWard {
    readonly clock = new VirtualClock()
    readonly clinic: Clinic
    private readonly store = SqliteStore.inMemory()
    private readonly router: Router

    private constructor(clinic: Clinic, clock: VirtualClock) {
        this.clock = clock
        this.clinic = clinic
        const link: ClinicLink = {
            keysOf: () => Promise.resolve([]),
            deliver: batch => clinic.ingest(batch),
            keys: () => clinic.keys(),
        }
        this.router = new Router({ clock, random: randomBytes, store: this.store, log: silentLog, clinic: link })
    }

    static async start(): Promise<AlarmWard> {
        const clock = new VirtualClock()
        const key = randomBytes(32)
        const store = openSqlite(":memory:")
        return new AlarmWard(await Clinic.open({ store, clock, random: randomBytes, key, log: silentLog }), clock)
    }

    /** A patient with a mote that is on. */
    async admit(body: Body): Promise<{ mote: Mote; patient: number; poweredAt: number }> {
        const { clinic, clock } = this
        const { id: patient } = await clinic.patients.add({ given: "A", family: "Patient" })
        const { mote, secret } = await clinic.motes.register(patient)
        await this.run(keysRefreshS) // until the router knows the new mote
        const poweredAt = clock.now()
        const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
        const wearable = await Mote.start({
            ...{ clock, random: randomBytes, image: await buildFirmware(), flash: memoryFlash() },
            settings: { kid: hex(mote.kid), secret: hex(secret), router: "coap+tcp://router.invalid:5683" },
            chips: wearableChips(clock, body),
            connect: () => {
                const [moteEnd, routerEnd] = pipe(clock)
                this.router.accept(routerEnd)
                return Promise.resolve(moteEnd)
            },
        })
        return { mote: wearable, patient, poweredAt }
    }

    run(seconds: number): Promise<void> {
        return this.clock.run(seconds * 1000)
    }

    async close(): Promise<void> {
        const closed = this.router.close()
        await this.clock.run(10_000)
        await closed
        this.store.close()
        await this.clinic.close()
    }
}
