import type { Measurement } from "../../wire/senml.ts"
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

    protected pack(now: number): Measurement[] {
        return Array.from({ length: eventsPerEnvelope }, () => {
            this.isRaised = !this.isRaised
            if (this.isRaised) this.id++
            const at = { time: now, relative: false }
            return [
                { name: "alarm/hr-high", unit: "/", value: this.isRaised ? 1 : 0, ...at },
                { name: "alarm/hr-high/id", unit: "count", value: this.id, ...at },
                { name: "alarm/hr-high/value", unit: "beat/min", value, ...at },
            ]
        }).flat()
    }
}
