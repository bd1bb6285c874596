import type { MeshNode } from "../mesh/node.ts"
import type { RplHost } from "../net/rpl/host.ts"
import { Attacker } from "./attacker.ts"
import { BlackHoleNode } from "./decorators.ts"

/** Joins the network and forwards nothing. */
export class BlackHole extends Attacker {
    private node: MeshNode | undefined

    protected begin(): void {
        this.node = this.join(node => this.decorated(node))
    }

    protected end(): void {
        this.node?.stop()
    }

    protected decorated(node: RplHost): RplHost {
        return new BlackHoleNode(node, () => this.swallowed())
    }

    protected swallowed(): void {
        this.got.swallowed++
    }
}
