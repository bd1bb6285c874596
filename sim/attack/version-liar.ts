import { Attacker } from "./attacker.ts"
import { VersionLiarNode } from "./decorators.ts"
import type { MeshNode } from "../mesh/node.ts"

/** Advertises a new DODAG version in each DIO, which only the root may do: every node rebuilds the tree. */
export class VersionLiar extends Attacker {
    private node: MeshNode | undefined

    protected begin(): void {
        this.node = this.join(node => new VersionLiarNode(node, () => this.got.sent++))
    }

    protected end(): void {
        this.node?.stop()
    }
}
