import type { ByteStream } from "../../host/stream.ts"
import type { MeshNode } from "../mesh/node.ts"
import type { Ipv6Address } from "../net/ipv6.ts"
import { csm } from "./coap.ts"

/** A node's connection to the router, reopened whenever the router closes it. */
export class RouterLink {
    private readonly node: MeshNode
    private readonly router: { address: Ipv6Address; port: number }
    private stream: ByteStream | undefined
    private isConnecting = false

    constructor(node: MeshNode, router: { address: Ipv6Address; port: number }) {
        this.node = node
        this.router = router
    }

    /** The connection. Undefined while there is none; the call then starts a new one. */
    open(): ByteStream | undefined {
        const own = this.node.ipv6.addresses[0]
        if (this.stream || this.isConnecting || !own) return this.stream
        this.isConnecting = true
        this.node.tcp
            .connect(own, this.router.address, this.router.port)
            .then(
                stream => {
                    this.stream = stream
                    stream.listen({ data: () => {}, closed: () => (this.stream = undefined) })
                    stream.write(csm)
                },
                () => {},
            )
            .finally(() => (this.isConnecting = false))
        return undefined
    }
}
