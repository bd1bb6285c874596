import { MeshNode, type MeshOptions } from "../mesh/node.ts"
import type { Ipv6Address } from "../net/ipv6.ts"
import type { RplHost } from "../net/rpl/host.ts"

/** An attacker as a scenario describes it. */
export interface AttackPlan {
    id: number
    kind: string
    /** Metres. */
    x: number
    y: number
    /** Start and end in seconds of simulated time. Default: the whole run. */
    from?: number
    to?: number
    /** Interval between actions in seconds, for kinds that repeat one. */
    every?: number
}

export interface AttackOptions {
    mesh: MeshOptions
    plan: AttackPlan
    random: () => number
    bytes: (size: number) => Uint8Array
    router: { address: Ipv6Address; port: number }
    /** Identity of the mote that the attacker holds; only for kinds with keys. */
    identity?: { kid: Uint8Array; secret: Uint8Array }
}

/** What an attacker achieved. */
export interface AttackReport {
    id: number
    kind: string
    /** Frames heard, for kinds that listen. */
    frames: number
    /** Envelopes heard, and how many of them showed a readable heart rate. */
    envelopes: number
    readable: number
    /** Envelopes, requests, connections or messages sent. */
    sent: number
    /** Packets that should have been forwarded and were not. */
    swallowed: number
}

/** An attacker that is active for part of the run. Each kind is a file and a row in `kinds.ts`. */
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

    protected everyMs(usualMs: number): number {
        const { every } = this.o.plan
        return every === undefined ? usualMs : every * 1000
    }

    protected get position() {
        const { x, y } = this.o.plan
        return { x, y }
    }

    /** Joins the network as a node. `decorate` puts a decorator between the node and its RPL. */
    protected join(decorate?: (node: RplHost) => RplHost): MeshNode {
        const { mesh, plan, random } = this.o
        return new MeshNode({
            ...{ ...mesh, id: plan.id, position: this.position, random },
            ...(decorate ? { decorate } : {}),
        })
    }
}
