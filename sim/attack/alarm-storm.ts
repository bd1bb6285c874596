import { encodeAlarms } from "../../wire/alarms.ts"
import { HeldMote } from "./held-mote.ts"

/** Alarm events per envelope; a mote sends at most this many. */
const eventsPerEnvelope = 4
const value = 190

/** Raises and clears an alarm continuously. */
export class AlarmStorm extends HeldMote {
    protected readonly usualMs = 200
    protected readonly path = "alarms"
    private id = 2 ** 20
    private isRaised = false

    protected plaintext(now: number): Uint8Array {
        const events = Array.from({ length: eventsPerEnvelope }, () => {
            this.isRaised = !this.isRaised
            if (this.isRaised) this.id++
            const at = { time: now, relative: false, untimed: false }
            return { kind: "hr-high", id: this.id, raised: this.isRaised, value, unit: "beat/min", ...at }
        })
        return encodeAlarms(events, now)
    }
}
