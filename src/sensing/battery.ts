import { Potentiometer } from "@devicescript/core"
import { readSetting } from "../platform/flash"
import { sleep } from "../platform/sleep"

const lookMs = 60000
/** Until the pin is found. */
const bindMs = 1000
const minFullV = 3
const maxFullV = 12

/**
 * Resting voltage of a lithium polymer cell, in 10 mV above 3 V, and what is left then in percent. Two published tables agree
 * on it within some percent: Ampow's "LiPo voltage chart", and one that was read from a MAX17048 fuel gauge.
 */
const levels = hex`1b 3d 45 49 50 57 66 78`
const percents = hex`00 05 0a 14 28 3c 50 64`

/**
 * Measures the battery once a minute, where the setting `batteryV` says at which voltage of the battery the pin's converter
 * is at full scale: a board without the two resistors would make something up.
 * @param onPercent is called with the whole percent that are left
 */
export async function startBattery(pin: Potentiometer, onPercent: (percent: number) => void): Promise<void> {
    const fullV = await readSetting("batteryV")
    if (!(typeof fullV === "number" && fullV >= minFullV && fullV <= maxFullV)) return
    const run = async () => {
        let isFound = false
        for (;;) {
            try {
                if (pin.isBound) {
                    onPercent(percentOf((await pin.reading.read()) * fullV))
                    isFound = true
                }
            } catch (e) {
                console.log("battery: " + (e as Error).message)
            }
            await sleep(isFound ? lookMs : bindMs)
        }
    }
    run.start()
}

/** Whole percent that are left in a cell of this voltage. */
function percentOf(volts: number): number {
    const level = (volts - 3) * 100
    if (level <= levels[0]) return 0
    for (let i = 1; i < levels.length; i++) {
        const below = levels[i - 1]
        if (level < levels[i])
            return Math.round(
                percents[i - 1] + ((level - below) * (percents[i] - percents[i - 1])) / (levels[i] - below),
            )
    }
    return 100
}
