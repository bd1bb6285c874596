import { encodePack } from "../../wire/pack.ts"
import { HeldMote } from "./held-mote.ts"

/** Its clock is one day fast. */
const aheadMs = 24 * 3_600_000

/** Sends readings dated tomorrow. */
export class WrongClock extends HeldMote {
    protected readonly usualMs = 2000
    protected readonly path = "vitals"

    protected plaintext(now: number): Uint8Array {
        const at = { time: now + aheadMs, relative: false }
        const pack = [
            { name: "hr", unit: "beat/min", value: 72, ...at },
            { name: "hr-q", unit: "/", value: 1, ...at },
        ]
        return encodePack(pack, now)
    }
}
