import { Potentiometer } from "@devicescript/core"
import { readSetting } from "../platform/flash"
import { sleep } from "../platform/sleep"

const lookMs = 60000
/** Time to find the pin. */
const bindMs = 1000
const minFullV = 3
const maxFullV = 12

/**
 * Resting voltage of a lithium polymer cell in 10 mV above 3 V, and the remaining charge in percent. Two published
 * tables agree on it within a few percent: Ampow's "LiPo voltage chart", and one read from a MAX17048 fuel gauge.
 */
const levels = hex`1b 3d 45 49 50 57 66 78`
const percents = hex`00 05 0a 14 28 3c 50 64`

/**
 * Measures the battery once a minute, if the setting `batteryV` gives the battery voltage at which the pin's converter
 * is at full scale; a board without the two resistors would measure noise.
 * @param onPercent called with the remaining charge in whole percent
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

/** Remaining charge in whole percent of a cell with this voltage. */
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
