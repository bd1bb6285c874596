import type { RP2040 } from "rp2040js"

type IClock = RP2040["clock"]
type IAlarm = ReturnType<IClock["createAlarm"]>

/** An event of the chip's hardware. */
class Alarm implements IAlarm {
    private readonly clock: ChipClock
    readonly fire: () => void
    at = 0
    isSet = false

    constructor(clock: ChipClock, fire: () => void) {
        this.clock = clock
        this.fire = fire
    }

    schedule(deltaNanos: number): void {
        this.cancel()
        this.at = this.clock.nanos + deltaNanos
        this.clock.insert(this)
    }

    cancel(): void {
        if (this.isSet) this.clock.remove(this)
    }
}

/**
 * Time of an emulated chip: the cycles that its core has run through, at the frequency of the system clock. What its
 * hardware does later are alarms.
 */
export class ChipClock implements IClock {
    /**
     * What translated code counts with: cycles so far, the cycle at which it has to stop, and how far an instruction that asks
     * for the time is ahead of the first.
     */
    readonly counters = Float64Array.of(0, 0, 0)
    private alarms: Alarm[] = []
    private baseCycles = 0
    private baseNanos: number
    private nanosPerCycle: number

    /** @param nanos at which it starts @param hertz of the system clock */
    constructor(nanos: number, hertz: number) {
        this.baseNanos = nanos
        this.nanosPerCycle = 1e9 / hertz
    }

    get nanos(): number {
        const cycles = this.counters[0]! + this.counters[2]!
        return this.baseNanos + (cycles - this.baseCycles) * this.nanosPerCycle
    }

    /** The system clock gets another frequency. */
    setFrequency(hertz: number): void {
        this.baseNanos = this.nanos
        this.baseCycles = this.counters[0]! + this.counters[2]!
        this.nanosPerCycle = 1e9 / hertz
        this.interrupt()
    }

    createAlarm(callback: () => void): IAlarm {
        return new Alarm(this, callback)
    }

    /** When the next alarm is due; Infinity where there is none. */
    get nextNanos(): number {
        return this.alarms[0]?.at ?? Infinity
    }

    /** Runs all alarms that are due. */
    runAlarms(): void {
        for (let alarm; (alarm = this.alarms[0]) && this.isAt(alarm.at);) {
            this.alarms.shift()
            alarm.isSet = false
            alarm.fire()
        }
    }

    /** Whether that time has come. */
    isAt(nanos: number): boolean {
        return this.counters[0]! >= this.cycleAt(nanos)
    }

    /** The first cycle that is not before `nanos`, but for a rounding error. */
    cycleAt(nanos: number): number {
        return this.baseCycles + Math.ceil((nanos - this.baseNanos) / this.nanosPerCycle - 1e-6)
    }

    /** Jumps there, with a core that sleeps. */
    skipTo(nanos: number): void {
        this.counters[0] = Math.max(this.counters[0]!, this.cycleAt(nanos))
    }

    /** Makes running code stop as soon as it can, as there is something to see to. */
    interrupt(): void {
        this.counters[1] = -1
    }

    insert(alarm: Alarm): void {
        let i = this.alarms.length
        while (i > 0 && this.alarms[i - 1]!.at > alarm.at) i--
        this.alarms.splice(i, 0, alarm)
        alarm.isSet = true
        if (i === 0) this.counters[1] = Math.min(this.counters[1]!, this.cycleAt(alarm.at))
    }

    remove(alarm: Alarm): void {
        this.alarms.splice(this.alarms.indexOf(alarm), 1)
        alarm.isSet = false
    }
}
