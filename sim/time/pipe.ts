import type { Clock } from "../../host/clock.ts"
import type { ByteStream, StreamReceiver } from "../../host/stream.ts"

/** Two ends of a connection in this process. Bytes arrive in order after `delayMs` on the given clock. */
export function pipe(clock: Clock, delayMs = 1): [PipeEnd, PipeEnd] {
    const left = new PipeEnd(clock, delayMs, "left")
    const right = new PipeEnd(clock, delayMs, "right")
    left.other = right
    right.other = left
    return [left, right]
}

/** One end of a pipe. */
export class PipeEnd implements ByteStream {
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

    get closed(): boolean {
        return this.isClosed
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
        this.hangUp()
    }

    destroy(): void {
        this.hangUp()
    }

    listen(receiver: StreamReceiver): void {
        this.receiver = receiver
        for (const deliver of this.early.splice(0)) deliver()
    }

    private arrives(deliver: (receiver: StreamReceiver) => void): void {
        if (this.isClosed) return
        this.deliver(deliver)
    }

    private deliver(deliver: (receiver: StreamReceiver) => void): void {
        if (this.receiver) deliver(this.receiver)
        else this.early.push(() => deliver(this.receiver!))
    }

    private hangUp(): void {
        if (this.isClosed) return
        this.isClosed = true
        // After the bytes in transit.
        this.clock.setTimeout(() => this.other.close(), this.delayMs)
        queueMicrotask(() => this.deliver(receiver => receiver.closed()))
    }

    private close(): void {
        if (this.isClosed) return
        this.isClosed = true
        this.deliver(receiver => receiver.closed())
    }
}
