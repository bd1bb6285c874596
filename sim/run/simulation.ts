import type { Attacker } from "../attack/attacker.ts"
import { holdsMote, newAttacker } from "../attack/kinds.ts"
import { Battery } from "../observe/battery.ts"
import { Meter } from "../observe/energy.ts"
import { UserError } from "../../host/errors.ts"
import type { StartSilicon } from "../mote/silicon.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { BorderHost } from "../mesh/border.ts"
import { MeshNode, type MeshOptions } from "../mesh/node.ts"
import { formatAddress, parseAddress, type Ipv6Address } from "../net/ipv6.ts"
import { routerView } from "../mesh/page.ts"
import { withPrefix } from "../net/node.ts"
import { skyAddress } from "../net/sky.ts"
import { profileOf, type RplProfile } from "../net/rpl/profile.ts"
import type { Contexts } from "../net/sixlowpan/iphc.ts"
import { Observers } from "../observe/observer.ts"
import { Air } from "../radio/air.ts"
import type { Position } from "../radio/medium.ts"
import { seededBytes, seededRandom } from "../time/random.ts"
import { mediumOf } from "../radio/media/media.ts"
import { contextsOf, motesOf, type PlannedMote } from "../scenario/plan.ts"
import type { Scenario, ScenarioEvent } from "../scenario/schema.ts"
import { Statistics } from "../observe/statistics.ts"
import type { MoteEvent } from "../threads/messages.ts"
import { Port } from "../threads/port.ts"
import { Shards } from "../threads/shards.ts"
import { VirtualClock } from "../time/clock.ts"
import { Ward, type MoteIdentity } from "./ward.ts"

const coapPort = 5683
const defaultPan = 0xabcd
/** Interval between steps of motes that move. */
const stepMs = 1000
const cutShortMs = 10_000

/**
 * A mote on the mesh: its network half is here, the half that runs the firmware is in a shard. Without power both are
 * absent.
 */
export interface SimulatedMote {
    readonly id: number
    readonly plan: PlannedMote
    readonly identity: MoteIdentity
    position: Position
    node: MeshNode | undefined
    /** Connects the two halves. */
    port: Port | undefined
    /** Number of starts. */
    life: number
    /** Intervals without power in Unix ms; the last one may still be open. A crash is an interval of length 0. */
    readonly off: [number, number][]
    /** Time at which it last got power. */
    poweredMs: number
    /** Its consumption over all starts. */
    readonly meter: Meter
    /** Undefined: unlimited power. */
    readonly battery: Battery | undefined
}

/**
 * Many motes with the real firmware on a simulated network, a border router, and the real cores of router and clinic.
 * The same scenario with the same seed runs identically, frame by frame.
 */
export class Simulation {
    readonly clock = new VirtualClock()
    readonly startMs = this.clock.now()
    readonly observers = new Observers()
    readonly statistics: Statistics
    readonly scenario: Scenario
    readonly seed: number
    readonly profile: RplProfile
    readonly air: Air
    readonly root: MeshNode
    readonly host: BorderHost
    readonly motes = new Map<number, SimulatedMote>()
    readonly attackers: Attacker[] = []
    ward!: Ward
    private readonly prefix: Uint8Array
    private readonly mesh: MeshOptions
    private shards!: Shards

    private constructor(scenario: Scenario, seed: number) {
        this.scenario = scenario
        this.seed = seed
        const { network = {}, root } = scenario
        this.profile = profileOf(network.mode, network.objective)
        const [prefix] = contextsOf(scenario)
        this.prefix = prefix
        const moments = (scenario.assert ?? []).flatMap(one =>
            "recovery" in one ? [this.startMs + one.after * 1000] : [],
        )
        const { sample, report } = scenario.configuration ?? {}
        this.statistics = new Statistics(id => this.motes.get(id)?.off ?? [], moments, {
            ...(sample === undefined ? {} : { readingMs: 1000 * sample }),
            ...(report === undefined ? {} : { reportMs: 1000 * report }),
        })
        this.observers.add(this.statistics)
        this.air = new Air({
            events: this.clock,
            random: seededRandom(seed),
            medium: mediumOf(scenario.medium, seed),
            observer: this.observers,
        })
        this.mesh = {
            events: this.clock,
            air: this.air,
            pan: network.pan ?? defaultPan,
            profile: this.profile,
            contexts: [prefix],
        }
        this.root = this.newNode(root.id, { x: root.x, y: root.y }, prefix)
        const address = new Uint8Array(16)
        address.set(prefix)
        address[15] = 1
        this.host = new BorderHost(this.clock, this.root, address, this.random(0))
    }

    /**
     * Powers up everything.
     * @param threads for the firmware, besides this one; they change only the speed
     * @param silicon starts a mote on an emulated board, for a scenario that has such motes
     * @throws UserError when it has, and there is no such board
     */
    static async start(
        scenario: Scenario,
        {
            seed = scenario.seed ?? 1,
            threads = 0,
            silicon,
        }: { seed?: number; threads?: number; silicon?: StartSilicon } = {},
    ): Promise<Simulation> {
        const [first] = onSilicon(scenario)
        if (first !== undefined && !silicon)
            throw new UserError(
                `mote ${first} runs on an emulated board, which needs DeviceScript's runtime: --runtime FILE.uf2`,
            )
        const simulation = new Simulation(scenario, seed)
        await simulation.begin(threads, silicon)
        return simulation
    }

    /** Seconds since the start. */
    now(): number {
        return (this.clock.now() - this.startMs) / 1000
    }

    run(seconds: number, until?: () => boolean): Promise<void> {
        return this.clock.run(seconds * 1000, until)
    }

    /** The prefixes that all nodes know, for decoding frames. */
    get contexts(): Contexts {
        return this.mesh.contexts
    }

    /** The address that a node has or will have, whether or not it has power and has joined. */
    addressOf(id: number): Ipv6Address {
        return withPrefix(this.prefix, skyAddress(id))
    }

    /** A node's network half, the border router included. Undefined without power. */
    node(id: number): MeshNode | undefined {
        return id === this.root.id ? this.root : this.motes.get(id)?.node
    }

    /** Cuts a mote's power; its flash keeps its content. */
    powerOff(id: number): void {
        const mote = this.motes.get(id)
        if (!mote?.node) return
        this.shards.command({ kind: "stop", at: this.clock.now(), id })
        mote.node.stop()
        this.air.remove(mote.node.radio)
        mote.meter.powerOff()
        mote.battery?.stop()
        mote.node = mote.port = undefined
        mote.off.push([this.clock.now(), Infinity])
        this.observers.powered(id, false)
    }

    powerOn(id: number): void {
        const mote = this.motes.get(id)
        if (!mote || mote.node) return
        if (mote.battery?.isEmpty) return this.observers.log(id, "no power: the battery is empty")
        const last = mote.off.at(-1)
        if (last) last[1] = this.clock.now()
        const node = this.newNode(id, mote.position)
        mote.node = node
        mote.poweredMs = this.clock.now()
        mote.meter.powerOn(node.radio)
        mote.battery?.start()
        const connect = (host: string, port: number) => {
            const own = node.ipv6.addresses[0]
            if (!own) return Promise.reject(new Error("no network yet"))
            return node.tcp.connect(own, parseAddress(host), port)
        }
        const port = new Port(connect, command => {
            if (mote.port === port) this.shards.command({ ...command, at: this.clock.now(), id })
        })
        mote.port = port
        mote.life++
        this.shards.command({
            kind: "start",
            at: this.clock.now(),
            id,
            life: mote.life,
            setup: {
                kid: Buffer.from(mote.identity.kid).toString("hex"),
                secret: Buffer.from(mote.identity.secret).toString("hex"),
                router: `coap+tcp://[${formatAddress(this.host.address)}]:${coapPort}`,
                random: `mote ${id} from ${this.clock.now()}`,
                wearer: mote.plan.wearer,
            },
        })
        this.observers.powered(id, true)
    }

    /** Crashes a mote's program: its RAM is lost, and it restarts. Radio and chips keep their power. */
    crash(id: number): void {
        const mote = this.motes.get(id)
        if (!mote?.node) return
        const now = this.clock.now()
        mote.off.push([now, now])
        this.shards.command({ kind: "crash", at: now, id })
    }

    move(id: number, position: Position): void {
        const mote = this.motes.get(id)
        if (!mote) return
        mote.position = position
        if (mote.node) mote.node.radio.position = position
    }

    async stop(): Promise<void> {
        for (const { id } of this.motes.values()) this.powerOff(id)
        const closed = this.ward.close()
        try {
            await this.clock.run(cutShortMs)
            await closed
        } finally {
            await this.shards.close()
            this.root.stop()
        }
    }

    private newNode(id: number, position: Position, prefix?: Uint8Array): MeshNode {
        return new MeshNode({
            ...this.mesh,
            id,
            position,
            // Random numbers differ after each start: repeated ones would look like the connections of the previous
            // start.
            random: this.random(id + 65_537 * (this.motes.get(id)?.off.length ?? 0)),
            ...(prefix ? { prefix } : {}),
            observer: { dropped: (packet, reason) => this.observers.dropped(id, packet, reason) },
            changed: () => this.observers.routed(id),
        })
    }

    private random(id: number): () => number {
        return seededRandom(this.seed * 65_537 + id)
    }

    /** Handles an event from the half of a mote that runs the firmware. */
    private take(event: MoteEvent): void {
        const { id, life } = event
        const mote = this.motes.get(id)!
        // The event is from before the power was cut.
        if (!mote.port || life !== mote.life) return
        if (event.kind === "log") this.observers.log(id, event.line)
        else if (event.kind !== "panic") mote.port.take(event)
        else if (event.code) this.observers.log(id, `panic ${event.code}`)
    }

    private batteryOf({ id, batteryMah }: PlannedMote, meter: Meter): Battery | undefined {
        if (batteryMah === undefined) return undefined
        const emptied = () => {
            this.observers.log(id, "power off: the battery is empty")
            this.powerOff(id)
        }
        return new Battery({ events: this.clock, meter, capacityMah: batteryMah, emptied })
    }

    private async begin(threads: number, silicon?: StartSilicon): Promise<void> {
        this.ward = await Ward.open({
            clock: this.clock,
            seed: this.seed,
            arrived: reading => this.observers.arrived(reading),
            alarmed: alarm => this.observers.alarmed(alarm),
            network: () => ({
                address: formatAddress(this.root.ipv6.addresses[0] ?? this.root.ipv6.linkLocal),
                ...routerView(this.root, this.clock.now()),
            }),
        })
        this.shards = new Shards({
            ...{ clock: this.clock, startMs: this.startMs, seed: this.seed, threads },
            image: await buildFirmware(),
            ...(silicon && { silicon: { ids: new Set(onSilicon(this.scenario)), start: silicon } }),
            take: event => this.take(event),
            due: () => {
                for (const { port } of this.motes.values()) port?.report()
            },
        })
        for (const plan of motesOf(this.scenario, this.seed)) {
            const { id, position } = plan
            const meter = new Meter()
            this.motes.set(id, {
                id,
                plan,
                position,
                identity: await this.ward.admit(id, this.scenario.configuration),
                node: undefined,
                port: undefined,
                life: 0,
                off: [],
                poweredMs: 0,
                meter,
                battery: this.batteryOf(plan, meter),
            })
            if (plan.startS > 0) this.at(plan.startS, () => this.powerOn(id))
            else this.powerOn(id)
            if (plan.path) this.walk(plan)
        }
        this.host.tcp.listen(coapPort, stream => this.ward.accept(stream))
        for (const plan of this.scenario.attackers ?? [])
            this.attackers.push(
                newAttacker({
                    ...(holdsMote(plan.kind) ? { identity: await this.ward.admit(plan.id) } : {}),
                    mesh: this.mesh,
                    plan,
                    random: this.random(plan.id),
                    bytes: seededBytes(this.seed, `attacker ${plan.id}`),
                    router: { address: this.host.address, port: coapPort },
                }),
            )
        for (const event of this.scenario.events ?? []) this.at(event.at, () => this.happen(event))
        this.shards.begin()
    }

    private at(seconds: number, fn: () => void): void {
        const ms = this.startMs + seconds * 1000 - this.clock.now()
        this.clock.setTimeout(fn, ms)
    }

    private walk({ id, path }: PlannedMote): void {
        const step = () => {
            this.move(id, path!(this.now()))
            this.clock.schedule(step, stepMs)
        }
        step()
    }

    private happen(event: ScenarioEvent): void {
        const named = [...(event.motes ?? []), ...(event.mote === undefined ? [] : [event.mote])]
        if (event.do === "medium") this.air.medium = mediumOf(event.medium, this.seed)
        if (event.do === "repair") this.root.rpl.repair()
        for (const id of named) {
            if (event.do === "kill" || event.do === "reboot") this.powerOff(id)
            if (event.do === "crash") this.crash(id)
            if (event.do === "start" || event.do === "reboot") this.powerOn(id)
            if (event.do === "move") this.move(id, { x: event.x!, y: event.y! })
        }
    }
}

/** The motes of a scenario that run on an emulated board. */
function onSilicon({ motes = [] }: Scenario): number[] {
    return motes.filter(({ silicon }) => silicon !== undefined).map(({ id }) => id)
}
