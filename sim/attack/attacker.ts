import { WireError } from "../../wire/cbor.ts"
import { parseEnvelope, sealEnvelope } from "../../wire/envelope.ts"
import { encodePack } from "../../wire/senml.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { Ipv6Address } from "../net/ipv6.ts"
import { MeshNode, type MeshOptions } from "../mesh/node.ts"
import type { Radio } from "../radio/air.ts"
import type { Attacker as Plan } from "../scenario/schema.ts"
import { forgedBpm } from "../observe/statistics.ts"
import { csm, envelopeAt, postVitals } from "./coap.ts"
import { Eavesdropper } from "./eavesdropper.ts"

const jamFrameBytes = 127
const attackEveryMs = 2000
const maxRecorded = 500
/** What a forger seals with: keys of its own, since it has no others. */
const keyBytes = 32
const saltBytes = 5
/** SenML in the clear: label n (0), then "hr". */
const heartRateLabel = Buffer.of(0x00, 0x62, 0x68, 0x72)

export interface AttackOptions {
    mesh: MeshOptions
    plan: Plan
    random: () => number
    bytes: (size: number) => Uint8Array
    router: { address: Ipv6Address; port: number }
}

/** What an attacker got out of it. */
export interface AttackReport {
    id: number
    kind: Plan["kind"]
    /** Frames heard by those who listen. */
    frames: number
    /** Envelopes seen, and among them those in which a heart rate could be read. */
    envelopes: number
    readable: number
    /** Envelopes that were sent to the router. */
    sent: number
    /** Packets that should have been passed on and were not. */
    swallowed: number
}

/** A node that is up to no good; see the classes below for what. */
export abstract class Attacker {
    protected readonly o: AttackOptions
    protected readonly got: AttackReport

    constructor(o: AttackOptions) {
        this.o = o
        const { id, kind } = o.plan
        this.got = { id, kind, frames: 0, envelopes: 0, readable: 0, sent: 0, swallowed: 0 }
        const { from = 0, to } = o.plan
        this.later(from * 1000, () => this.begin())
        if (to !== undefined) this.later(to * 1000, () => this.end())
    }

    get report(): AttackReport {
        return this.got
    }

    protected abstract begin(): void

    protected abstract end(): void

    protected later(ms: number, fn: () => void): unknown {
        return this.o.mesh.events.schedule(fn, ms)
    }

    protected get position() {
        const { x, y } = this.o.plan
        return { x, y }
    }

    /** A node of the network like any other, to begin with. */
    protected join(): MeshNode {
        const { mesh, plan, random } = this.o
        return new MeshNode({ ...mesh, id: plan.id, position: this.position, random })
    }
}

/** Hears what is in the air and tries to read it. */
class Sniffer extends Attacker {
    private listener: Eavesdropper | undefined
    private radio: Radio | undefined

    override get report(): AttackReport {
        return { ...this.got, frames: this.listener?.frames ?? 0 }
    }

    protected begin(): void {
        this.radio = this.newRadio()
        this.listener = new Eavesdropper(this.o.mesh, this.radio, data => {
            const at = envelopeAt(data)
            if (at < 0) return
            this.got.envelopes++
            if (Buffer.from(data).includes(heartRateLabel)) this.got.readable++
            this.saw(data.slice(at))
        })
    }

    protected end(): void {
        this.radio?.off()
    }

    protected newRadio(): Radio {
        const radio = this.o.mesh.air.add(this.o.plan.id, this.position)
        radio.on()
        return radio
    }

    /** An envelope went by, perhaps with something behind it. */
    protected saw(_envelope: Uint8Array): void {}
}

/** Listens as a node of the network, which has a connection to the router, on which it says what it wants. */
abstract class Intruder extends Sniffer {
    private node: MeshNode | undefined
    private stream: ByteStream | undefined

    protected override begin(): void {
        super.begin()
        this.attack()
    }

    protected override end(): void {
        this.node?.stop()
        this.node = undefined
        super.end()
    }

    protected override newRadio(): Radio {
        this.node = this.join()
        return this.node.radio
    }

    /** The next envelope that it wants to put in. */
    protected abstract envelope(): Uint8Array | undefined

    private attack(): void {
        const { node } = this
        if (!node) return
        const own = node.ipv6.addresses[0]
        const { address, port } = this.o.router
        if (own && !this.stream)
            node.tcp.connect(own, address, port).then(
                stream => {
                    this.stream = stream
                    stream.listen({ data: () => {}, closed: () => (this.stream = undefined) })
                    stream.write(csm)
                },
                () => {},
            )
        const envelope = this.stream && this.envelope()
        if (envelope) {
            this.stream!.write(postVitals(envelope))
            this.got.sent++
        }
        this.later(attackEveryMs, () => this.attack())
    }
}

/** Sends again what it heard. */
class Replayer extends Intruder {
    private readonly recorded: Uint8Array[] = []

    protected override saw(envelope: Uint8Array): void {
        // Only such that went by whole are worth anything.
        if (this.recorded.length < maxRecorded && isEnvelope(envelope)) this.recorded.push(envelope)
    }

    protected envelope(): Uint8Array | undefined {
        const { recorded } = this
        return recorded[Math.floor(this.o.random() * recorded.length)]
    }
}

/** Knows the wire format and the numbers of the motes, and makes readings up. */
class Forger extends Intruder {
    private kid: Uint8Array | undefined
    private seq = 0

    protected override saw(envelope: Uint8Array): void {
        if (!isEnvelope(envelope)) return
        const parsed = parseEnvelope(envelope)
        this.kid = parsed.kid
        this.seq = parsed.seq + 1000
    }

    protected envelope(): Uint8Array | undefined {
        const { kid } = this
        if (!kid) return undefined
        const { bytes } = this.o
        const now = this.o.mesh.events.now()
        const readings = [
            { name: "hr", unit: "beat/min", value: forgedBpm, time: now, relative: false },
            { name: "hr-q", unit: "/", value: 1, time: now, relative: false },
        ]
        return sealEnvelope({
            kid,
            upEnc: bytes(keyBytes),
            upMac: bytes(keyBytes),
            purpose: "vitals",
            boot: 1,
            salt: bytes(saltBytes),
            seq: this.seq++,
            plaintext: encodePack(readings, kid, now),
        })
    }
}

/** Takes part in the network and passes nothing on. */
class BlackHole extends Attacker {
    protected node: MeshNode | undefined

    protected begin(): void {
        this.node = this.join()
        const { rpl } = this.node
        const admit = rpl.admit.bind(rpl)
        rpl.admit = (packet, previous) => {
            admit(packet, previous)
            this.got.swallowed++
            return false
        }
    }

    protected end(): void {
        this.node?.stop()
    }
}

/** Says that it is the root's neighbour, or as good as the root, so that everybody sends to it; and passes nothing on. */
class RankLiar extends BlackHole {
    protected override begin(): void {
        super.begin()
        this.node!.rpl.claimedRank = this.o.mesh.profile.minHopRankIncrease
    }
}

/** Sends noise, one frame after the other. */
class Jammer extends Attacker {
    private isOn = false

    protected begin(): void {
        const { mesh, plan, bytes } = this.o
        const radio = mesh.air.add(plan.id, this.position)
        radio.sendsNoise = true
        radio.on()
        this.isOn = true
        const noise = () => {
            if (this.isOn) radio.transmit(bytes(jamFrameBytes), noise)
            else radio.off()
        }
        noise()
    }

    protected end(): void {
        this.isOn = false
    }
}

const kinds: Record<string, new (o: AttackOptions) => Attacker> = {
    sniffer: Sniffer,
    replayer: Replayer,
    forger: Forger,
    "black-hole": BlackHole,
    rank: RankLiar,
    jammer: Jammer,
}

export function newAttacker(o: AttackOptions): Attacker {
    return new kinds[o.plan.kind]!(o)
}

function isEnvelope(bytes: Uint8Array): boolean {
    try {
        parseEnvelope(bytes)
        return true
    } catch (error) {
        if (error instanceof WireError) return false
        throw error
    }
}
