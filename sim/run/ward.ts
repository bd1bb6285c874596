import { Clinic, openSqlite } from "../../clinic/index.ts"
import { sleep, type Clock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore, type ClinicLink, type Network, type RouterStats } from "../../router/index.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { ConfigValues } from "../../wire/tables/settings.ts"
import { decodeAlarms } from "../../wire/alarms.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import type { ArrivedAlarm, ArrivedReading } from "../observe/observer.ts"
import { seededBytes } from "../time/random.ts"

/** The settings in `.env.local` of a board. */
export interface MoteIdentity {
    kid: Uint8Array
    secret: Uint8Array
    patient: number
}

/** Author of a scenario's configurations. */
const author = "scenario"

interface KnownMote {
    id: number
    upEnc: Uint8Array
    kid: Uint8Array
    /** Its newest envelope. */
    last?: { boot: number; seq: number }
}

/** The real cores of router and clinic as one process, in simulated time. */
export class Ward {
    readonly clinic: Clinic
    readonly router: Router
    readonly network: () => Network
    private readonly clock: Clock
    private readonly arrived: (reading: ArrivedReading) => void
    private readonly alarmed: (alarm: ArrivedAlarm) => void
    private readonly motes = new Map<string, KnownMote>()

    private constructor(clinic: Clinic, o: WardOptions) {
        this.clinic = clinic
        this.clock = o.clock
        this.network = o.network
        this.arrived = o.arrived
        this.alarmed = o.alarmed
        const link: ClinicLink = {
            keys: () => clinic.keys(),
            keysOf: () => Promise.resolve([]),
            deliver: async batch => {
                const results = await clinic.ingest(batch)
                batch.forEach(({ envelope, receivedAt }, i) => {
                    if (results[i]?.status === "stored") this.report(envelope, receivedAt)
                })
                return results
            },
        }
        this.router = new Router({
            clock: o.clock,
            random: seededBytes(o.seed, "router"),
            store: SqliteStore.inMemory(),
            clinic: link,
            network: o.network,
            log: silentLog,
        })
    }

    static async open(o: WardOptions): Promise<Ward> {
        const random = seededBytes(o.seed, "clinic")
        const store = openSqlite(":memory:")
        const clinic = await Clinic.open({
            store,
            clock: o.clock,
            random,
            key: random(32),
            log: silentLog,
            turn: () => sleep(o.clock, 0),
        })
        return new Ward(clinic, o)
    }

    /**
     * Creates a patient, and an identity for their mote.
     * @param settings in the clinic for this mote; it receives them over the air
     */
    async admit(id: number, settings?: Partial<ConfigValues>): Promise<MoteIdentity> {
        const patient = await this.clinic.patients.add({ given: `Mote ${id}`, family: "Simulated" })
        const { mote, secret } = await this.clinic.motes.register(patient.id)
        const { kid } = mote
        const { upEnc } = deriveKeys(secret, kid)
        this.motes.set(Buffer.from(kid).toString("hex"), { id, upEnc, kid })
        if (settings) await this.clinic.configure(kid, { settings, author })
        return { kid, secret, patient: patient.id }
    }

    accept(stream: ByteStream): void {
        this.router.accept(stream)
    }

    stats(): RouterStats {
        return this.router.stats()
    }

    /** Simulated time must advance until this resolves. */
    async close(): Promise<void> {
        await this.router.close()
        await this.clinic.close()
    }

    /** Reports the readings and alarms in an envelope that the clinic has stored. */
    private report(bytes: Uint8Array, receivedAt: number): void {
        const envelope = parseEnvelope(bytes)
        const mote = this.motes.get(Buffer.from(envelope.kid).toString("hex"))
        if (!mote) return
        const moments = new Map<number, Map<string, number>>()
        const arrivedMs = this.clock.now()
        const plaintext = openEnvelope(envelope, mote.upEnc)
        if (envelope.purpose === "alarm") {
            for (const { kind, raised, time } of decodeAlarms(plaintext, receivedAt))
                if (raised) this.alarmed({ mote: mote.id, kind, raisedMs: time, arrivedMs })
            mote.last = envelope
            return
        }
        const pack = decodePack(plaintext, receivedAt)
        for (const { time, name, value } of pack) {
            const values = moments.get(time) ?? new Map<string, number>()
            moments.set(time, values.set(name, value))
        }
        const relative = pack.some(measurement => measurement.relative)
        // Envelopes of one start are numbered without gaps, and report themselves what was dropped before them.
        const isNext =
            mote.last?.boot === envelope.boot &&
            mote.last.seq + 1 === envelope.seq &&
            !pack.some(({ name }) => name === "lost")
        mote.last = envelope
        const inOrder = [...moments].sort(([a], [b]) => a - b)
        inOrder.forEach(([measuredMs, values], i) => {
            if (!values.has("hr-q")) return
            const continues = i > 0 || isNext
            this.arrived({ mote: mote.id, measuredMs, arrivedMs, relative, continues, values })
        })
    }
}

export interface WardOptions {
    clock: Clock
    seed: number
    arrived: (reading: ArrivedReading) => void
    alarmed: (alarm: ArrivedAlarm) => void
    /** What the border router sees of the radio network. */
    network: () => Network
}
