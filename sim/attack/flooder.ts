import type { MeshNode } from "../mesh/node.ts"
import { getCore } from "./coap.ts"
import { Participant } from "./participant.ts"
import type { RouterLink } from "./router-link.ts"

/** Maximum backlog in its own connection, in bytes; beyond it the flood is as fast as the mesh carries it. */
const maxBacklog = 2048

/** Sends requests to the router as fast as the network accepts them. */
export class Flooder extends Participant {
    protected readonly usualMs = 50

    protected act(_node: MeshNode, link: RouterLink): void {
        const stream = link.open()
        if (!stream || stream.backlog > maxBacklog) return
        stream.write(getCore)
        this.got.sent++
    }
}
