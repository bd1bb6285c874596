import type { Measurement } from "../../wire/senml.ts"
import { HeldMote } from "./held-mote.ts"

/** Its clock is one day fast. */
const aheadMs = 24 * 3_600_000

/** Sends readings dated tomorrow. */
export class WrongClock extends HeldMote {
    protected readonly usualMs = 2000
    protected readonly path = "vitals"

    protected pack(now: number): Measurement[] {
        const at = { time: now + aheadMs, relative: false }
        return [
            { name: "hr", unit: "beat/min", value: 72, ...at },
            { name: "hr-q", unit: "/", value: 1, ...at },
        ]
    }
}
