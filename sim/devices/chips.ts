import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import type { I2cChip } from "./sensor-bus.ts"
import { Max30102 } from "./max30102.ts"
import { Max30205 } from "./max30205.ts"

/** The chips of the standard wearable, on `body`, whose second 0 is now. @param seed of their noise */
export function wearableChips(clock: Clock, body: Body, seed = 1): I2cChip[] {
    return [new Max30102({ clock, body, seed }), new Max30205({ clock, body })]
}
