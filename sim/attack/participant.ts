import type { MeshNode } from "../mesh/node.ts"
import type { RplHost } from "../net/rpl/host.ts"
import { Attacker } from "./attacker.ts"
import { RouterLink } from "./router-link.ts"

/** A regular node of the network that repeats one action. */
export abstract class Participant extends Attacker {
    /** Default interval between actions in ms. */
    protected abstract readonly usualMs: number
    private node: MeshNode | undefined

    protected begin(): void {
        this.node = this.join(node => this.decorated(node))
        this.repeat(this.node, new RouterLink(this.node, this.o.router))
    }

    protected end(): void {
        this.node?.stop()
        this.node = undefined
    }

    protected decorated(node: RplHost): RplHost {
        return node
    }

    protected abstract act(node: MeshNode, link: RouterLink): void

    private repeat(node: MeshNode, link: RouterLink): void {
        if (node !== this.node) return
        this.act(node, link)
        this.later(this.everyMs(this.usualMs), () => this.repeat(node, link))
    }
}
