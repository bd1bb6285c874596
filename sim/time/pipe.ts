import type { Clock } from "../../host/clock.ts"
import type { ByteStream, StreamReceiver } from "../../host/stream.ts"

/** Two ends of a connection in this process; bytes take `delayMs` of the given clock, in order. */
export function pipe(clock: Clock, delayMs = 1): [ByteStream, ByteStream] {
    const left = new PipeEnd(clock, delayMs, "left")
    const right = new PipeEnd(clock, delayMs, "right")
    left.other = right
    right.other = left
    return [left, right]
}

class PipeEnd implements ByteStream {
    readonly peer: string
    other!: PipeEnd
    backlog = 0
    private readonly clock: Clock
    private readonly delayMs: number
    private receiver: StreamReceiver | undefined
    private early: (() => void)[] = []
    private isClosed = false

    constructor(clock: Clock, delayMs: number, peer: string) {
        this.clock = clock
        this.delayMs = delayMs
        this.peer = peer
    }

    write(bytes: Uint8Array): void {
        if (this.isClosed) return
        const copy = bytes.slice()
        this.backlog += copy.length
        this.clock.setTimeout(() => {
            this.backlog -= copy.length
            this.other.arrives(receiver => receiver.data(copy))
        }, this.delayMs)
    }

    end(): void {
        // Behind the bytes that are under way.
        this.clock.setTimeout(() => this.other.close(), this.delayMs)
        this.close()
    }

    destroy(): void {
        this.end()
    }

    listen(receiver: StreamReceiver): void {
        this.receiver = receiver
        for (const deliver of this.early.splice(0)) deliver()
    }

    private arrives(deliver: (receiver: StreamReceiver) => void): void {
        if (this.isClosed) return
        if (this.receiver) deliver(this.receiver)
        else this.early.push(() => deliver(this.receiver!))
    }

    private close(): void {
        this.arrives(receiver => receiver.closed())
        this.isClosed = true
    }
}
