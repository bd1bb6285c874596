import type { Body } from "../../sim/body/index.ts"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { runProgram } from "../../sim/mote/program.ts"

/** A Reading as printed by test/src/sensing.ts. */
export interface SensedReading {
    atMs: number
    bpm?: number
    quality: number
    motion: boolean
    tempC?: number
    spo2?: number
}

export interface Sensed {
    readings: SensedReading[]
    /** Other output of the program. */
    messages: string[]
    panics: number[]
    run(seconds: number): Promise<void>
}

/** Runs a mote that measures and prints on `body` for some seconds. */
export async function sense(
    body: Body,
    seconds: number,
    chipsOf: (clock: VirtualClock) => I2cChip[] = clock => wearableChips(clock, body),
    settings: Record<string, number> = {},
): Promise<Sensed> {
    const clock = new VirtualClock()
    const readings: SensedReading[] = []
    const messages: string[] = []
    const panics: number[] = []
    const { run } = await runProgram("test/src/sensing.ts", {
        clock,
        chips: chipsOf(clock),
        settings,
        log: line => {
            if (line.startsWith("reading ")) readings.push(JSON.parse(line.slice(8)) as SensedReading)
            else messages.push(line)
        },
        panic: code => panics.push(code),
    })
    await run(seconds)
    return { readings, messages, panics, run }
}
