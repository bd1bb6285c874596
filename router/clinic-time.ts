import type { Clock } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { RouterStore } from "./store/store.ts"

/** The tolerance for differences: the clinic sends whole seconds, and its response takes a moment. */
const toleranceMs = 2_000
/** If the boot time changed by no more than this, the machine was neither rebooted nor its clock set. */
const sameStartMs = 5_000
const startMeta = "clock confirmed since start at"
const skewMeta = "clock skew"

/** The times of a machine whose clock may be wrong. */
export interface MachineTime {
    /** Monotonic time in milliseconds. */
    monotonic(): number
    /** The time of the machine's boot by its own clock, as Unix time in milliseconds. */
    startedAt(): number
    /** The date of this program's build, as Unix time in milliseconds. An earlier time is wrong. */
    notBefore: number
}

/**
 * The time for receipts, which set the clocks of motes. It is this machine's time if the clinic's agrees with it,
 * otherwise the clinic's. It is unknown until the clinic responds, unless the clinic confirmed this clock earlier since
 * the machine's boot. A clinic in the same process shares the router's clock and need not confirm it.
 */
export class ClinicTime {
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly machine: MachineTime
    private readonly isShared: boolean
    private readonly implausible: LogSummary
    private readonly skewed: LogSummary
    /** A time, and the monotonic time at that moment. */
    private anchor: { time: number; at: number } | undefined

    constructor(o: {
        clock: Clock
        store: RouterStore
        clinic: ClinicLink | Pick<ClinicLink, "onTime">
        machine?: MachineTime
        log: Log
    }) {
        const { clock } = o
        this.clock = clock
        this.store = o.store
        this.machine = o.machine ?? { monotonic: () => clock.now(), startedAt: () => 0, notBefore: 0 }
        const options = { clock, log: o.log, level: "warn" } as const
        this.implausible = new LogSummary("the clinic's clock is wrong: not used for receipts", options)
        this.skewed = new LogSummary(
            "this machine's clock differs from the clinic's: receipts use the clinic's",
            options,
        )
        this.isShared = o.clinic.onTime === undefined
        o.clinic.onTime?.(time => this.heard(time))
        const confirmed = Number(o.store.meta(startMeta) ?? NaN)
        if (Math.abs(this.machine.startedAt() - confirmed) <= sameStartMs)
            this.set(clock.now() + Number(o.store.meta(skewMeta) ?? 0))
    }

    /** Unix time in milliseconds, or undefined while it is unknown. */
    now(): number | undefined {
        if (this.isShared) return this.clock.now()
        const { anchor, machine } = this
        return anchor && anchor.time + machine.monotonic() - anchor.at
    }

    /** Handles the time in a response of the clinic. */
    private heard(time: number): void {
        if (!Number.isFinite(time) || time < this.machine.notBefore) {
            this.implausible.count(`unix time ${time} ms`)
            return
        }
        const own = this.clock.now()
        const isRight = Math.abs(time - own) <= toleranceMs
        const skewMs = isRight ? 0 : time - own
        if (!isRight) this.skewed.count(`${Math.round(-skewMs / 1000)} s ahead`)
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
