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
    /** Seconds of simulated time; from the beginning, to the end where absent. */
    from?: number
    to?: number
    /** Seconds from one of its actions to the next, where it has such. */
    every?: number
}

export interface AttackOptions {
    mesh: MeshOptions
    plan: AttackPlan
    random: () => number
    bytes: (size: number) => Uint8Array
    router: { address: Ipv6Address; port: number }
    /** Of a mote that the attacker holds; only for kinds that have one. */
    identity?: { kid: Uint8Array; secret: Uint8Array }
}

/** What an attacker got out of it. */
export interface AttackReport {
    id: number
    kind: string
    /** Frames heard by those who listen. */
    frames: number
    /** Envelopes seen, and among them those in which a heart rate could be read. */
    envelopes: number
    readable: number
    /** Envelopes, requests, connections or messages that it sent. */
    sent: number
    /** Packets that should have been passed on and were not. */
    swallowed: number
}

/** Someone who means harm, for a part of the time; each kind is a file of its own, and a row in `kinds.ts`. */
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

    /** A node of the network, with something between it and its RPL where `decorate` is given. */
    protected join(decorate?: (node: RplHost) => RplHost): MeshNode {
        const { mesh, plan, random } = this.o
        return new MeshNode({
            ...{ ...mesh, id: plan.id, position: this.position, random },
            ...(decorate ? { decorate } : {}),
        })
    }
}
