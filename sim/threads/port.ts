import type { ByteStream } from "../../host/stream.ts"
import type { Happening, Order } from "./messages.ts"

interface Connection {
    /** Undefined while it is being made. */
    stream: ByteStream | undefined
    written: number
    /** Bytes that have left, as the other half was told. */
    sent: number
}

export type ConnectionOrder = Extract<Order, { connection: number }>
type WithoutMote<T> = T extends unknown ? Omit<T, "at" | "id"> : never

/** The network's end of the connections of one start of a mote. */
export class Port {
    private readonly connect: (host: string, port: number) => Promise<ByteStream>
    private readonly order: (order: WithoutMote<ConnectionOrder>) => void
    private readonly connections = new Map<number, Connection>()

    constructor(
        connect: (host: string, port: number) => Promise<ByteStream>,
        order: (order: WithoutMote<ConnectionOrder>) => void,
    ) {
        this.connect = connect
        this.order = order
    }

    take(happening: Extract<Happening, { connection: number }>): void {
        const { connection } = happening
        if (happening.kind === "connect") {
            void this.open(connection, happening.host, happening.port)
            return
        }
        const open = this.connections.get(connection)
        if (!open) return
        if (happening.kind === "write") {
            open.written += happening.bytes.length
            open.stream?.write(happening.bytes)
            return
        }
        this.connections.delete(connection)
        open.stream?.[happening.kind]()
    }

    /** Tells the other half how much has left since it was told last. */
    report(): void {
        for (const [connection, open] of this.connections) {
            const sent = open.written - (open.stream?.backlog ?? open.written)
            if (sent === open.sent) continue
            open.sent = sent
            this.order({ kind: "left", connection, sent })
        }
    }

    private async open(connection: number, host: string, port: number): Promise<void> {
        const open: Connection = { stream: undefined, written: 0, sent: 0 }
        this.connections.set(connection, open)
        const isGivenUp = () => this.connections.get(connection) !== open
        try {
            const stream = await this.connect(host, port)
            if (isGivenUp()) return stream.destroy()
            open.stream = stream
            this.order({ kind: "opened", connection })
            stream.listen({
                data: bytes => {
                    if (!isGivenUp()) this.order({ kind: "data", connection, bytes: bytes.slice() })
                },
                closed: () => {
                    if (isGivenUp()) return
                    this.connections.delete(connection)
                    this.order({ kind: "closed", connection })
                },
            })
        } catch (error) {
            if (isGivenUp()) return
            this.connections.delete(connection)
            this.order({ kind: "refused", connection, reason: (error as Error).message })
        }
    }
}
