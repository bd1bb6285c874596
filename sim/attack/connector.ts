import type { MeshNode } from "../mesh/node.ts"
import { Participant } from "./participant.ts"

/** Opens one connection to the router after another, sends nothing on them and does not close them. */
export class Connector extends Participant {
    protected readonly usualMs = 200

    protected act(node: MeshNode): void {
        const own = node.ipv6.addresses[0]
        if (!own) return
        const { address, port } = this.o.router
        this.got.sent++
        node.tcp.connect(own, address, port).then(
            stream => stream.listen({ data: () => {}, closed: () => {} }),
            () => {},
        )
    }
}
