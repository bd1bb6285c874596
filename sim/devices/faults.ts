import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import type { I2cChip } from "./sensor-bus.ts"

export const faultyChips = ["optical", "thermometer", "accelerometer"] as const
export type FaultyChip = (typeof faultyChips)[number]

/**
 * Behaviour of a chip during a fault:
 * - `nack`: does not acknowledge its address;
 * - `stuck`: holds the data line low, so that the bus is unusable;
 * - `reset`: has no supply; when it returns, the registers have their reset values;
 * - `overflow`: loses samples, as when the host reads its FIFO too late;
 * - `saturation`: gets more light, heat or acceleration than it can measure;
 * - `led`: emits no light.
 */
export type FaultKind = "nack" | "stuck" | "reset" | "overflow" | "saturation" | "led"

/** Faults that each chip can have. */
export const faultKinds: Record<FaultyChip, readonly FaultKind[]> = {
    optical: ["nack", "stuck", "reset", "overflow", "saturation", "led"],
    thermometer: ["nack", "stuck", "reset", "saturation"],
    accelerometer: ["nack", "stuck", "reset", "overflow", "saturation"],
}

/** A fault of one chip for some time, in seconds since the chip was created. */
export interface Fault {
    chip: FaultyChip
    kind: FaultKind
    fromS: number
    toS: number
}

/** Above the range of all sensors: nA per mA and nA, °C, g. */
const tooMuchLight = 1e9
const tooMuchHeatC = 1000
const tooMuchAccelerationG = 1000

/** The wearer as seen by the sensors of a faulty chip. */
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

/** A chip with faults on the bus; faults in its measurements are simulated by `faultyBody`. */
export class Faulty implements I2cChip {
    private readonly chip: I2cChip
    private readonly faults: readonly Fault[]
    private readonly clock: Clock
    private readonly startMs: number
    /** Brown-outs that are over and have been applied. */
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

    /** Nothing runs between two accesses: resets since the last one are applied now, with their own times. */
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

/** Not the address of any chip. */
const noAddress = -1

function isDuring({ fromS, toS }: Fault, seconds: number): boolean {
    return seconds >= fromS && seconds < toS
}
