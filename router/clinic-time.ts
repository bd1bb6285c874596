import type { Clock } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { RouterStore } from "./store/store.ts"

/** The clinic says its time in whole seconds, and its answer is under way for a moment. */
const toleranceMs = 2_000
/** The machine has not been started since, nor has its clock been set, where its start seems to be as long ago. */
const sameStartMs = 5_000
const startMeta = "clock confirmed since start at"
const skewMeta = "clock skew"

/** What a clock needs that may be wrong. */
export interface MachineTime {
    /** Milliseconds that only time moves. */
    monotonic(): number
    /** When the machine was started, by its clock, Unix time in milliseconds. */
    startedAt(): number
    /** No clock that is right shows less: this program is of that day. */
    notBefore: number
}

/**
 * The clinic's time, for receipts, which set the clocks of motes: this machine's clock where the clinic's agrees with it, the
 * clinic's where not. Unknown until the clinic has answered, unless it had confirmed this clock since the machine was
 * started. A clinic that shares the router's clock, in one process, need not confirm it.
 */
export class ClinicTime {
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly machine: MachineTime
    private readonly isShared: boolean
    private readonly wrong: LogSummary
    private readonly different: LogSummary
    /** What the time was at a moment of the monotonic clock. */
    private anchor: { time: number; at: number } | undefined

    constructor(o: { clock: Clock; store: RouterStore; clinic: ClinicLink; machine?: MachineTime; log: Log }) {
        const { clock } = o
        this.clock = clock
        this.store = o.store
        this.machine = o.machine ?? { monotonic: () => clock.now(), startedAt: () => 0, notBefore: 0 }
        const options = { clock, log: o.log, level: "warn" } as const
        this.wrong = new LogSummary("the clinic's clock is wrong: no receipts by it", options)
        this.different = new LogSummary(
            "this machine's clock differs from the clinic's: receipts go by the clinic's",
            options,
        )
        this.isShared = o.clinic.onTime === undefined
        o.clinic.onTime?.(time => this.heard(time))
        const confirmed = Number(o.store.meta(startMeta) ?? NaN)
        if (Math.abs(this.machine.startedAt() - confirmed) <= sameStartMs)
            this.set(clock.now() + Number(o.store.meta(skewMeta) ?? 0))
    }

    now(): number | undefined {
        if (this.isShared) return this.clock.now()
        const { anchor, machine } = this
        return anchor && anchor.time + machine.monotonic() - anchor.at
    }

    /** The clinic's time as it has just said it. */
    private heard(time: number): void {
        if (!Number.isFinite(time) || time < this.machine.notBefore) {
            this.wrong.count(`unix time ${time} ms`)
            return
        }
        const own = this.clock.now()
        const isRight = Math.abs(time - own) <= toleranceMs
        const skewMs = isRight ? 0 : time - own
        if (!isRight) this.different.count(`${Math.round(-skewMs / 1000)} s ahead`)
        this.set(own + skewMs)
        this.remember(skewMs)
    }

    private set(time: number): void {
        if (time >= this.machine.notBefore) this.anchor = { time, at: this.machine.monotonic() }
    }

    private remember(skewMs: number): void {
        const startedAt = this.machine.startedAt()
        const isKnown =
            Math.abs(Number(this.store.meta(startMeta) ?? NaN) - startedAt) <= sameStartMs / 2 &&
            Math.abs(Number(this.store.meta(skewMeta) ?? NaN) - skewMs) <= toleranceMs
        if (isKnown) return
        this.store.setMeta(startMeta, String(Math.round(startedAt)))
        this.store.setMeta(skewMeta, String(Math.round(skewMs)))
    }
}
