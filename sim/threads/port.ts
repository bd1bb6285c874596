import type { ByteStream } from "../../host/stream.ts"
import type { MoteEvent, MoteCommand } from "./messages.ts"

interface Connection {
    /** Undefined while connecting. */
    stream: ByteStream | undefined
    written: number
    /** Bytes sent, as last reported to the other half. */
    sent: number
}

export type ConnectionCommand = Extract<MoteCommand, { connection: number }>
type WithoutMote<T> = T extends unknown ? Omit<T, "at" | "id"> : never

/** The network's end of the connections of one start of a mote. */
export class Port {
    private readonly connect: (host: string, port: number) => Promise<ByteStream>
    private readonly command: (command: WithoutMote<ConnectionCommand>) => void
    private readonly connections = new Map<number, Connection>()

    constructor(
        connect: (host: string, port: number) => Promise<ByteStream>,
        command: (command: WithoutMote<ConnectionCommand>) => void,
    ) {
        this.connect = connect
        this.command = command
    }

    take(event: Extract<MoteEvent, { connection: number }>): void {
        const { connection } = event
        if (event.kind === "connect") {
            void this.open(connection, event.host, event.port)
            return
        }
        const open = this.connections.get(connection)
        if (!open) return
        if (event.kind === "write") {
            open.written += event.bytes.length
            open.stream?.write(event.bytes)
            return
        }
        this.connections.delete(connection)
        open.stream?.[event.kind]()
    }

    /** Reports to the other half how much has been sent since the last report. */
    report(): void {
        for (const [connection, open] of this.connections) {
            const sent = open.written - (open.stream?.backlog ?? open.written)
            if (sent === open.sent) continue
            open.sent = sent
            this.command({ kind: "left", connection, sent })
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
            this.command({ kind: "opened", connection })
            stream.listen({
                data: bytes => {
                    if (!isGivenUp()) this.command({ kind: "data", connection, bytes: bytes.slice() })
                },
                closed: () => {
                    if (isGivenUp()) return
                    this.connections.delete(connection)
                    this.command({ kind: "closed", connection })
                },
            })
        } catch (error) {
            if (isGivenUp()) return
            this.connections.delete(connection)
            this.command({ kind: "refused", connection, reason: (error as Error).message })
        }
    }
}
