import { Attacker } from "./attacker.ts"
import { VersionLiarNode } from "./decorators.ts"
import type { MeshNode } from "../mesh/node.ts"

/** Advertises a new version of the DODAG with each DIO, which only its root may do: everybody builds the tree anew. */
export class VersionLiar extends Attacker {
    private node: MeshNode | undefined

    protected begin(): void {
        this.node = this.join(node => new VersionLiarNode(node, () => this.got.sent++))
    }

    protected end(): void {
        this.node?.stop()
    }
}
