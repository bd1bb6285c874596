import type { Clock } from "./clock.ts"
import type { Log } from "./log.ts"

/** The first event is logged at once. Those that follow within this time share one line. */
const quietMs = 60_000
/** The number of reasons that are counted separately. Any others are counted together. */
const maxReasons = 16

type Level = "info" | "warn" | "error"

interface Options {
    log: Log
    clock: Clock
    level?: Level
}

/** Logs events that strangers cause. The log stays small however often they cause them. */
export class LogSummary {
    private readonly message: string
    private readonly log: Log
    private readonly level: Level
    private readonly clock: Clock
    private counts = new Map<string, number>()
    private isQuiet = false

    /** @param message the kind of event, such as `connections cut off` */
    constructor(message: string, { log, clock, level = "info" }: Options) {
        this.message = message
        this.log = log
        this.level = level
        this.clock = clock
    }

    /** Counts an event under a key, such as its reason or the mote concerned. */
    count(reason: string, times = 1): void {
        const key = this.counts.has(reason) || this.counts.size < maxReasons ? reason : "other"
        this.counts.set(key, (this.counts.get(key) ?? 0) + times)
        if (!this.isQuiet) this.write()
    }

    private write(): void {
        this.isQuiet = this.counts.size > 0
        if (!this.isQuiet) return
        this.log[this.level](Object.fromEntries(this.counts), this.message)
        this.counts = new Map()
        const timer = this.clock.setTimeout(() => this.write(), quietMs)
        // Pending counts must not keep the process from exiting.
        ;(timer as { unref?: () => void } | undefined)?.unref?.()
    }
}
