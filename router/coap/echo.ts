import { createHmac, timingSafeEqual } from "node:crypto"
import type { Clock } from "../../host/clock.ts"

/** How long a value stays fresh. A client that supports Echo returns it at once. */
const freshMs = 60_000
/** The unit of the time in a value. */
const unitMs = 10_000
const timeBytes = 2
const macBytes = 6

/**
 * Makes and checks values of the Echo option (RFC 9175 §2, appendix A.2). A value is the time and a MAC over the time
 * and the peer, so the server keeps no state for a peer that never responds.
 */
export class Echo {
    private readonly clock: Clock
    private readonly key: Uint8Array

    constructor(clock: Clock, random: (bytes: number) => Uint8Array) {
        this.clock = clock
        this.key = random(32)
    }

    /** Returns a value for a peer, such as `192.0.2.7:49152`. */
    make(peer: string): Uint8Array {
        return this.valueAt(this.units(), peer)
    }

    /** Tells whether this peer received the value within the last `freshMs`. */
    isFresh(value: Uint8Array, peer: string): boolean {
        if (value.length !== timeBytes + macBytes) return false
        const units = (value[0]! << 8) | value[1]!
        const age = (this.units() - units) & 0xffff
        return age <= freshMs / unitMs && timingSafeEqual(value, this.valueAt(units, peer))
    }

    private units(): number {
        return Math.floor(this.clock.now() / unitMs) & 0xffff
    }

    private valueAt(units: number, peer: string): Uint8Array {
        const time = Uint8Array.of(units >> 8, units & 0xff)
        const mac = createHmac("sha256", this.key).update(time).update(peer).digest()
        return Buffer.concat([time, mac.subarray(0, macBytes)])
    }
}
