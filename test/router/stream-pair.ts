import type { ByteStream, StreamReceiver } from "../../host/stream.ts"

/** Two ends of a byte stream in memory; bytes arrive in a later microtask. */
export function streamPair(): [PairedStream, PairedStream] {
    const a = new PairedStream("a")
    const b = new PairedStream("b")
    a.other = b
    b.other = a
    return [a, b]
}

export class PairedStream implements ByteStream {
    readonly peer: string
    /** Set it to make this end look as if the other did not read. */
    backlog = 0
    other!: PairedStream
    private receiver: StreamReceiver | undefined
    private readonly early: Uint8Array[] = []
    private ended = false
    private gone = false

    constructor(peer: string) {
        this.peer = peer
    }

    get closed(): boolean {
        return this.gone
    }

    write(bytes: Uint8Array): void {
        if (this.ended || this.gone) return
        const copy = Uint8Array.from(bytes)
        queueMicrotask(() => this.other.deliver(copy))
    }

    /** As with a socket that does not stay half-open: the other end closes, too. */
    end(): void {
        this.ended = true
        queueMicrotask(() => {
            this.other.close()
            this.close()
        })
    }

    destroy(): void {
        this.ended = true
        this.close()
        queueMicrotask(() => this.other.close())
    }

    listen(receiver: StreamReceiver): void {
        this.receiver = receiver
        for (const bytes of this.early) receiver.data(bytes)
        if (this.gone) receiver.closed()
    }

    private deliver(bytes: Uint8Array): void {
        if (this.gone) return
        if (this.receiver) this.receiver.data(bytes)
        else this.early.push(bytes)
    }

    private close(): void {
        if (this.gone) return
        this.gone = true
        this.receiver?.closed()
    }
}
