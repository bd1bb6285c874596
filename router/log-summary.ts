import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"

/** Of the same thing one line in that time. */
const everyMs = 60_000

interface Said {
    at: number
    since: number
}

/** What strangers can make happen as often as they like: the first is logged, then once a minute how often it happened. */
export class LogSummary {
    private readonly clock: Clock
    private readonly log: Log
    private readonly said = new Map<string, Said>()

    constructor(clock: Clock, log: Log) {
        this.clock = clock
        this.log = log
    }

    /** `message` is one of a few; `fields` are those of the last time. */
    note(level: "info" | "warn", fields: object, message: string): void {
        const now = this.clock.now()
        const said = this.said.get(message)
        if (said && Math.abs(now - said.at) < everyMs) {
            said.since++
            return
        }
        this.said.set(message, { at: now, since: 0 })
        this.log[level](said?.since ? { ...fields, more: said.since } : fields, message)
    }
}
