import type { ClinicLink } from "../clinic-link.ts"

/** The clinic sends whole seconds, and its response takes a moment. */
const toleranceMs = 2_000

/** What requests to the clinic have shown. */
export interface ClinicContact {
    /** When the clinic last answered, by the monotonic clock; when watching began if it has not. */
    answeredAt: number
    /** How far this machine's clock is ahead, ms, 0 within 2 s; undefined until the clinic has said its time. */
    clockErrorMs: number | undefined
}

/**
 * Returns a link that does what `clinic` does, and notes in `contact` what that shows.
 * @param o.now Unix time in milliseconds
 * @param o.elapsed monotonic milliseconds
 * @param o.answered called after each request with how long it took
 */
export function watchedClinic(
    clinic: ClinicLink,
    contact: ClinicContact,
    o: { now(): number; elapsed(): number; answered(operation: string, ms: number, isGood: boolean): void },
): ClinicLink {
    const timed = async <T>(operation: string, request: Promise<T>): Promise<T> => {
        const start = o.elapsed()
        let isGood = false
        try {
            const result = await request
            isGood = true
            contact.answeredAt = o.elapsed()
            return result
        } finally {
            o.answered(operation, o.elapsed() - start, isGood)
        }
    }
    const heard = (time: number) => {
        const error = o.now() - time
        contact.clockErrorMs = Math.abs(error) <= toleranceMs ? 0 : error
    }
    return {
        deliver: (batch, signal) => timed("deliver", clinic.deliver(batch, signal)),
        keys: signal => timed("keys", clinic.keys(signal)),
        keysOf: (kids, signal) => timed("keys-of", clinic.keysOf(kids, signal)),
        ...(clinic.onTime && {
            onTime: (listener: (time: number) => void) =>
                clinic.onTime!(time => {
                    heard(time)
                    listener(time)
                }),
        }),
        ...(clinic.setStoreCreatedAt && { setStoreCreatedAt: (time: number) => clinic.setStoreCreatedAt!(time) }),
        ...(clinic.close && { close: () => clinic.close!() }),
    }
}
