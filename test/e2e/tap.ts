import { connect, createServer, type Socket } from "node:net"
import { FrameReader } from "../../router/coap/frame.ts"
import { maxMessageBytes } from "../../router/coap/session.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"

/**
 * Somebody who listens on the line between motes and router, and knows the receipt key: an independent record of what
 * was receipted.
 */
export class Tap {
    /** Nonces of valid receipts that left the router, hex. */
    readonly receipted = new Set<string>()
    /** Nonces of envelopes that the mote has sent, hex. */
    private readonly sent = new Set<string>()
    private readonly server
    private waiting: (() => void)[] = []

    private constructor(routerPort: number, receiptKey: Uint8Array) {
        this.server = createServer(mote => {
            const router = connect(routerPort, "localhost")
            const reader = new FrameReader(maxMessageBytes)
            const requests = new FrameReader(maxMessageBytes)
            router.on("data", bytes => {
                this.passed()
                for (const { payload } of reader.push(bytes))
                    if (payload.length)
                        for (const nonce of this.sent)
                            if (isReceipt(payload, nonce, receiptKey)) this.receipted.add(nonce)
                mote.write(bytes)
            })
            mote.on("data", bytes => {
                this.passed()
                for (const { payload } of requests.push(bytes)) {
                    const nonce = nonceOf(payload)
                    if (nonce !== undefined) this.sent.add(nonce)
                }
                router.write(bytes)
            })
            together(mote, router)
        })
    }

    static listen(port: number, routerPort: number, receiptKey: Uint8Array): Promise<Tap> {
        const tap = new Tap(routerPort, receiptKey)
        return new Promise(resolve => tap.server.listen(port, "localhost", () => resolve(tap)))
    }

    /** Resolves when the next piece of a connection passes, there or back. */
    piece(): Promise<void> {
        return new Promise(resolve => this.waiting.push(resolve))
    }

    close(): void {
        this.server.close()
    }

    private passed(): void {
        for (const resolve of this.waiting.splice(0)) resolve()
    }
}

/** Undefined for what is no envelope, such as capabilities. */
function nonceOf(payload: Uint8Array): string | undefined {
    try {
        return Buffer.from(parseEnvelope(payload).nonce).toString("hex")
    } catch {
        return undefined
    }
}

function isReceipt(payload: Uint8Array, nonce: string, key: Uint8Array): boolean {
    try {
        openReceipt(payload, Buffer.from(nonce, "hex"), key)
        return true
    } catch {
        return false
    }
}

function together(a: Socket, b: Socket): void {
    for (const [one, other] of [
        [a, b],
        [b, a],
    ] as const)
        one.on("error", () => {}).on("close", () => other.destroy())
}
