import { createHmac } from "node:crypto"
import { request, type Dispatcher } from "undici"
import { DeliveryError, deliveryError, type Channel } from "./channel.ts"
import type { Notice } from "./notice.ts"

export interface WebhookOptions {
    /** https, or http for a receiver on the same network. */
    url: string
    /** 32 bytes or more, shared with the receiver. */
    secret: Uint8Array
    /** Unix milliseconds. */
    now: () => number
    dispatcher?: Dispatcher
}

/** What of an answer is read; a receiver has nothing to tell but its status. */
const maxAnswerBytes = 64 * 1024

/**
 * POSTs a notice as JSON, signed as the Standard Webhooks specification has it: `webhook-id` stays the same over all attempts,
 * `webhook-signature` is HMAC-SHA-256 over id, time in seconds and body. Redirections are not followed.
 */
export class Webhook implements Channel {
    private readonly options: WebhookOptions

    constructor(options: WebhookOptions) {
        this.options = options
    }

    async deliver(notice: Notice, signal: AbortSignal): Promise<void> {
        const { url, secret, now, dispatcher } = this.options
        const body = JSON.stringify(notice)
        const timestamp = String(Math.floor(now() / 1000))
        try {
            const answer = await request(url, {
                method: "POST",
                body,
                signal,
                headers: {
                    "content-type": "application/json",
                    "webhook-id": notice.id,
                    "webhook-timestamp": timestamp,
                    "webhook-signature": signature(secret, notice.id, timestamp, body),
                },
                ...(dispatcher && { dispatcher }),
            })
            await answer.body.dump({ limit: maxAnswerBytes, signal })
            const { statusCode } = answer
            if (statusCode >= 200 && statusCode < 300) return
            const isForGood = statusCode < 500 && statusCode !== 408 && statusCode !== 429
            throw new DeliveryError(isForGood ? "rejected" : "unreachable", `HTTP ${statusCode}`)
        } catch (error) {
            throw deliveryError(error, signal)
        }
    }
}

/** `v1,` and the signature in base64, over `ID.TIMESTAMP.BODY`. */
export function signature(secret: Uint8Array, id: string, timestamp: string, body: string): string {
    return `v1,${createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64")}`
}
