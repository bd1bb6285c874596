import { createHash } from "node:crypto"
import { Clinic, openSqlite } from "../clinic/index.ts"
import { silentLog } from "../host/log.ts"
import { Router, RouterStore, type ClinicLink } from "../router/index.ts"
import type { Body } from "./body/index.ts"
import { wearableChips } from "./devices/chips.ts"
import { buildFirmware } from "./firmware.ts"
import { BorderHost } from "./mesh/border.ts"
import { MeshNode, type MeshOptions } from "./mesh/node.ts"
import { Mote } from "./mote.ts"
import { formatAddress, parseAddress } from "./net/ipv6.ts"
import type { RplProfile } from "./net/rpl/profile.ts"
import { memoryFlash } from "./program.ts"
import { Air, type AirObserver } from "./radio/air.ts"
import type { Medium, Position } from "./radio/medium.ts"
import { seededRandom } from "./random.ts"
import { VirtualClock } from "./vm/clock.ts"

const coapPort = 5683

export interface SimulationOptions {
    seed: number
    medium: Medium
    txRatio?: number
    profile: RplProfile
    /** `aaaa::` */
    prefix: string
    pan?: number
    root: { id: number; position: Position }
    motes: { id: number; position: Position; body: Body }[]
    observer?: AirObserver
    log?: (mote: number, line: string) => void
}

/** A mote on the mesh: the network half and the half that runs the firmware. */
export interface SimulatedMote {
    id: number
    node: MeshNode
    mote: Mote
    patient: number
}

/** Many motes with the real firmware on a simulated network, a border router, the router's and the clinic's own cores. */
export class Simulation {
    readonly clock = new VirtualClock()
    readonly startMs = this.clock.now()
    readonly root: MeshNode
    readonly host: BorderHost
    readonly motes: SimulatedMote[] = []
    clinic!: Clinic
    router!: Router
    private readonly options: SimulationOptions
    private readonly mesh: MeshOptions

    private constructor(options: SimulationOptions) {
        this.options = options
        const { seed, profile, medium, txRatio, observer } = options
        const prefix = parseAddress(options.prefix).subarray(0, 8)
        const air = new Air({
            events: this.clock,
            random: seededRandom(seed),
            medium,
            ...(txRatio === undefined ? {} : { txRatio }),
            ...(observer ? { observer } : {}),
        })
        this.mesh = {
            events: this.clock,
            air,
            pan: options.pan ?? 0xabcd,
            profile,
            contexts: [prefix],
        }
        this.root = new MeshNode({
            ...this.mesh,
            ...options.root,
            random: this.random(options.root.id),
            prefix,
        })
        const address = Uint8Array.from(parseAddress(options.prefix))
        address[15] = 1
        this.host = new BorderHost(this.clock, this.root, address, this.random(0))
    }

    static async start(options: SimulationOptions): Promise<Simulation> {
        const simulation = new Simulation(options)
        await simulation.begin()
        return simulation
    }

    /** Seconds since the beginning. */
    now(): number {
        return (this.clock.now() - this.startMs) / 1000
    }

    run(seconds: number, until?: () => boolean): Promise<void> {
        return this.clock.run(seconds * 1000, until)
    }

    async stop(): Promise<void> {
        for (const { mote, node } of this.motes) {
            mote.stop()
            node.stop()
        }
        const closed = this.router.close()
        await this.run(10)
        await closed
        this.root.stop()
        await this.clinic.close()
    }

    private random(id: number): () => number {
        return seededRandom(this.options.seed * 65_537 + id)
    }

    private bytes(name: string): (size: number) => Uint8Array {
        let count = 0
        const { seed } = this.options
        return size => {
            const parts: Buffer[] = []
            for (let length = 0; length < size; length += 32)
                parts.push(createHash("sha256").update(`${seed} ${name} ${count++}`).digest())
            return new Uint8Array(Buffer.concat(parts).subarray(0, size))
        }
    }

    private async begin(): Promise<void> {
        const { clock } = this
        const random = this.bytes("clinic")
        this.clinic = await Clinic.open({
            store: openSqlite(":memory:"),
            clock,
            random,
            key: random(32),
            log: silentLog,
        })
        const image = await buildFirmware()
        for (const { id, position, body } of this.options.motes) {
            const { clinic } = this
            const patient = await clinic.patients.add({ given: `Mote ${id}`, family: "Simulated" })
            const { mote, secret } = await clinic.motes.register(patient.id)
            const node = new MeshNode({ ...this.mesh, id, position, random: this.random(id) })
            const wearable = await Mote.start({
                clock,
                random: this.bytes(`mote ${id}`),
                image,
                flash: memoryFlash(),
                deviceId: Buffer.from(mote.kid).toString("hex"),
                settings: {
                    kid: Buffer.from(mote.kid).toString("hex"),
                    secret: Buffer.from(secret).toString("hex"),
                    router: `coap+tcp://[${formatAddress(this.host.address)}]:${coapPort}`,
                },
                chips: wearableChips(clock, body, id),
                connect: (host, port) => {
                    const own = node.ipv6.addresses[0]
                    if (!own) return Promise.reject(new Error("no network yet"))
                    return node.tcp.connect(own, parseAddress(host), port)
                },
                log: line => this.options.log?.(id, line),
            })
            this.motes.push({ id, node, mote: wearable, patient: patient.id })
        }
        this.startRouter()
    }

    private startRouter(): void {
        const { clinic, clock, host } = this
        const link: ClinicLink = {
            deliver: batch => clinic.ingest(batch),
            keys: () => clinic.keys(),
        }
        this.router = new Router({
            clock,
            random: this.bytes("router"),
            store: RouterStore.inMemory(),
            clinic: link,
            log: silentLog,
        })
        host.tcp.listen(coapPort, stream => this.router.accept(stream))
    }
}
