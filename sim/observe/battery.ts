import { skyCurrents, type Currents, type Meter } from "./energy.ts"
import type { Events } from "../time/events.ts"

/** Precision of the moment at which a battery is empty. */
const resolutionMs = 100
const masPerMah = 3600

/** A battery that a meter discharges. It checks as rarely as the highest possible current allows. */
export class Battery {
    private readonly events: Events
    private readonly meter: Meter
    private readonly capacityMas: number
    private readonly currents: Currents
    private readonly emptied: () => void
    private timer: unknown

    /** @param emptied called when the battery is empty, once per start */
    constructor(o: { events: Events; meter: Meter; capacityMah: number; currents?: Currents; emptied: () => void }) {
        this.events = o.events
        this.meter = o.meter
        this.capacityMas = o.capacityMah * masPerMah
        this.currents = o.currents ?? skyCurrents
        this.emptied = o.emptied
    }

    get isEmpty(): boolean {
        return this.restMas() <= 0
    }

    /** Remaining share of the capacity, 0 to 1. */
    get level(): number {
        return Math.max(0, this.restMas() / this.capacityMas)
    }

    /** Monitors the charge while the mote has power. */
    start(): void {
        const { cpuMa, radioMa } = this.currents
        const mostMa = cpuMa + Math.max(...Object.values(radioMa))
        const atLeastMs = (1000 * this.restMas()) / mostMa
        this.timer = this.events.schedule(
            () => (this.isEmpty ? this.emptied() : this.start()),
            Math.max(resolutionMs, atLeastMs),
        )
    }

    stop(): void {
        this.events.cancel(this.timer)
    }

    private restMas(): number {
        return this.capacityMas - masPerMah * this.meter.energy(this.currents).totalMah
    }
}
