import type { Clock } from "../../host/clock.ts"
import type { I2cChip } from "../devices/sensor-bus.ts"
import type { Connect } from "../vm/socket.ts"

/** What runs the firmware of a mote. What is in flash stays without power. */
export interface MoteMachine {
    /** Cuts the power. */
    stop(): void
    powerUp(): Promise<void>
    /** The program crashes and starts again. */
    crash(): void
}

export interface SiliconSetup {
    /** The mote follows it, a window of time behind. */
    clock: Clock
    /** Of its entropy. */
    seed: number
    /** What it is provisioned with: `kid`, `secret`, `router`. */
    settings: { kid: string; secret: string; router: string }
    /** The chips on its I2C bus; they live in the time of its board. */
    chips: (clock: Clock) => I2cChip[]
    connect: Connect
    /** A line that the program wrote. */
    log: (line: string) => void
}

/** Powers up a mote on an emulated board, as `emulator/` does; the simulator itself has none. */
export type StartSilicon = (setup: SiliconSetup) => Promise<MoteMachine>
