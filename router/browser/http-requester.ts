import type { CoapMessage } from "../coap/message.ts"
import type { Notifier, Requester } from "../coap/requester.ts"

/** More than any message of a mote: no response has to come in blocks. */
const maxMessageBytes = 64 * 1024

/** A page of the CoAP browser as an endpoint that sends requests and observes. */
export class HttpRequester implements Requester {
    readonly peer: string
    readonly maxMessageBytes = maxMessageBytes
    notified: (response: CoapMessage) => void = () => {}
    /** Called when no further notification will come. */
    ended: () => void = () => {}
    private readonly cancels = new Map<string, () => void>()
    private isClosed = false

    /** @param address of the client; limits by address count its observations with those over CoAP */
    constructor(address: string) {
        this.peer = `${address}:0`
    }

    addObserver(token: Uint8Array, cancelled: () => void): Notifier {
        const key = keyOf(token)
        this.cancelObserver(token)
        if (this.isClosed) cancelled()
        else this.cancels.set(key, cancelled)
        return {
            send: response => this.notified(response),
            end: () => {
                this.cancels.delete(key)
                this.ended()
            },
        }
    }

    cancelObserver(token: Uint8Array): void {
        const cancelled = this.cancels.get(keyOf(token))
        this.cancels.delete(keyOf(token))
        cancelled?.()
    }

    /** Over HTTP no envelope is accepted. */
    envelopeAccepted(): void {}

    /** The page has gone: cancels what it observes. */
    close(): void {
        this.isClosed = true
        for (const cancelled of [...this.cancels.values()]) cancelled()
        this.cancels.clear()
    }
}

function keyOf(token: Uint8Array): string {
    return Buffer.from(token).toString("hex")
}
