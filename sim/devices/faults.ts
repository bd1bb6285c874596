import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import type { I2cChip } from "./sensor-bus.ts"

export const faultyChips = ["optical", "thermometer", "accelerometer"] as const
export type FaultyChip = (typeof faultyChips)[number]

/**
 * What a chip does while it has a fault:
 * - `nack`: does not answer to its address;
 * - `stuck`: keeps the data line low, so that nobody can use the bus;
 * - `reset`: has no supply, and when it is back, the registers have their reset values;
 * - `overflow`: loses samples, as when the host comes too late for its FIFO;
 * - `saturation`: gets more light, heat or acceleration than it can measure;
 * - `led`: gives no light.
 */
export type FaultKind = "nack" | "stuck" | "reset" | "overflow" | "saturation" | "led"

/** What can be wrong with each chip. */
export const faultKinds: Record<FaultyChip, readonly FaultKind[]> = {
    optical: ["nack", "stuck", "reset", "overflow", "saturation", "led"],
    thermometer: ["nack", "stuck", "reset", "saturation"],
    accelerometer: ["nack", "stuck", "reset", "overflow", "saturation"],
}

/** A fault of one chip for some time, in seconds since it was made. */
export interface Fault {
    chip: FaultyChip
    kind: FaultKind
    fromS: number
    toS: number
}

/** More than any of the sensors can measure: nA per mA and nA, °C, g. */
const tooMuchLight = 1e9
const tooMuchHeatC = 1000
const tooMuchAccelerationG = 1000

/** What the sensors of a chip with faults see of a wearer. */
export function faultyBody(body: Body, faults: readonly Fault[]): Body {
    const has = (kind: FaultKind, seconds: number) =>
        faults.some(fault => fault.kind === kind && isDuring(fault, seconds))
    const { acceleration } = body
    return {
        reflectance(led, seconds) {
            if (has("led", seconds)) return 0
            return has("saturation", seconds) ? tooMuchLight : body.reflectance(led, seconds)
        },
        skinTemperature: seconds => (has("saturation", seconds) ? tooMuchHeatC : body.skinTemperature(seconds)),
        ambientLight: seconds => (has("saturation", seconds) ? tooMuchLight : (body.ambientLight?.(seconds) ?? 0)),
        ...(acceleration && {
            acceleration: (seconds: number) =>
                has("saturation", seconds)
                    ? [tooMuchAccelerationG, tooMuchAccelerationG, tooMuchAccelerationG]
                    : acceleration.call(body, seconds),
        }),
    }
}

/** A chip with faults in what it does on the bus; what it measures is for `faultyBody`. */
export class Faulty implements I2cChip {
    private readonly chip: I2cChip
    private readonly faults: readonly Fault[]
    private readonly clock: Clock
    private readonly startMs: number
    /** Brown-outs that are over, and which the chip knows of. */
    private readonly over = new Set<Fault>()

    constructor(clock: Clock, chip: I2cChip, faults: readonly Fault[]) {
        this.clock = clock
        this.chip = chip
        this.faults = faults
        this.startMs = clock.now()
    }

    get address(): number {
        return this.has("nack") || this.has("reset") ? noAddress : this.chip.address
    }

    get maxKHz(): number | undefined {
        return this.chip.maxKHz
    }

    get pointerMoves(): boolean | undefined {
        return this.chip.pointerMoves
    }

    write(bytes: Uint8Array): boolean {
        this.catchUp()
        return this.chip.write(bytes)
    }

    read(size: number): Uint8Array {
        this.catchUp()
        return this.chip.read(size)
    }

    holdsDataLine(): boolean {
        return this.has("stuck") || (this.chip.holdsDataLine?.() ?? false)
    }

    private seconds(): number {
        return (this.clock.now() - this.startMs) / 1000
    }

    private has(kind: FaultKind): boolean {
        const seconds = this.seconds()
        return this.faults.some(fault => fault.kind === kind && isDuring(fault, seconds))
    }

    /** Nothing runs between two accesses: what happened since the last one happens now, with its own time. */
    private catchUp(): void {
        const seconds = this.seconds()
        for (const fault of this.faults)
            if (fault.kind === "reset" && fault.toS <= seconds && !this.over.has(fault)) {
                this.chip.powerUp?.(this.startMs + fault.toS * 1000)
                this.over.add(fault)
            }
        if (this.has("overflow")) this.chip.overflow?.()
    }
}

/** No chip has it, and none is asked for at it. */
const noAddress = -1

function isDuring({ fromS, toS }: Fault, seconds: number): boolean {
    return seconds >= fromS && seconds < toS
}
