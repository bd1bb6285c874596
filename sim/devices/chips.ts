import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import { Faulty, faultyBody, type Fault, type FaultyChip } from "./faults.ts"
import { Lis3dh } from "./lis3dh.ts"
import { Lsm6dso } from "./lsm6dso.ts"
import { Max30102 } from "./max30102.ts"
import { Max30205 } from "./max30205.ts"
import { Mlx90614 } from "./mlx90614.ts"
import type { I2cChip } from "./sensor-bus.ts"
import { Tmp117 } from "./tmp117.ts"

export const thermometers = ["max30205", "tmp117", "mlx90614"] as const
export type ThermometerName = (typeof thermometers)[number]

export const accelerometers = ["lis3dh", "lsm6dso"] as const
export type AccelerometerName = (typeof accelerometers)[number]

export interface WearableOptions {
    /** Default: a MAX30205. */
    thermometer?: ThermometerName
    /** Default: a LIS3DH, or none if the body has no acceleration. */
    accelerometer?: AccelerometerName
    /** Faults and their times. */
    faults?: readonly Fault[]
}

/** The chips of the standard wearable on `body`, whose second 0 is now. @param seed of their noise */
export function wearableChips(
    clock: Clock,
    body: Body,
    seed = 1,
    { thermometer = "max30205", accelerometer = "lis3dh", faults = [] }: WearableOptions = {},
): I2cChip[] {
    const chip = (name: FaultyChip, make: (body: Body) => I2cChip): I2cChip => {
        const own = faults.filter(({ chip }) => chip === name)
        if (!own.length) return make(body)
        return new Faulty(clock, make(faultyBody(body, own)), own)
    }
    const chips = [
        chip("optical", body => new Max30102({ clock, body, seed })),
        chip("thermometer", body => newThermometer(thermometer, clock, body, seed + 2)),
    ]
    const Accelerometer = { lis3dh: Lis3dh, lsm6dso: Lsm6dso }[accelerometer]
    if (body.acceleration) chips.push(chip("accelerometer", body => new Accelerometer({ clock, body, seed: seed + 1 })))
    return chips
}

function newThermometer(name: ThermometerName, clock: Clock, body: Body, seed: number): I2cChip {
    switch (name) {
        case "max30205":
            return new Max30205({ clock, body, seed })
        case "tmp117":
            return new Tmp117({ clock, body, seed })
        case "mlx90614":
            return new Mlx90614({ clock, body, seed })
    }
}
