import type { Notice } from "./notice.ts"

/** A way to tell somebody. */
export interface Channel {
    /** To be called where the receiver says later that somebody has taken an alarm on; `by` may be empty. */
    onAccepted?: ((alarm: number, by: string) => Promise<void>) | undefined
    /**
     * Tells it once; resolves when the receiver has confirmed it.
     * @param signal aborts the attempt: whoever never answers stops nothing
     * @throws DeliveryError
     */
    deliver(notice: Notice, signal: AbortSignal): Promise<void>
}

/** `rejected`: the receiver understood and said no, so that trying again will not help before somebody has changed something. */
export type DeliveryFailure = "unreachable" | "timeout" | "rejected" | "malformed-answer"

export class DeliveryError extends Error {
    readonly code: DeliveryFailure
    /** What the receiver said, such as an HTTP status or an HL7 acknowledgement code; for people, bounded. */
    readonly detail: string

    constructor(code: DeliveryFailure, detail = "") {
        super(detail ? `${code}: ${detail}` : code)
        this.code = code
        this.detail = detail.replace(/[^\x20-\x7e]/g, "?").slice(0, 200)
    }
}

/** What went wrong on the way, as a DeliveryError. */
export function deliveryError(error: unknown, signal: AbortSignal): DeliveryError {
    if (error instanceof DeliveryError) return error
    if (signal.aborted) return new DeliveryError("timeout")
    const { code, message } = error as { code?: string; message?: string }
    return new DeliveryError("unreachable", code ?? message ?? "")
}
