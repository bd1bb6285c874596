// Between two pauses: a loop of `loops` turns, then one part of the estimator's work on a window of 2 s. The VM panics
// where that takes more than 131,072 steps, which tells how many steps the part has.
import { sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { accelerationBytes } from "../../src/accelerometer"
import { sampleBytes } from "../../src/drivers/max30102"
import { periodBpm, shortestPeriod } from "../../src/heart/period"
import { HeartRate } from "../../src/heart/heartrate"
import { Oxygen, textbook } from "../../src/heart/oxygen"

const windowSamples = 50

const loops = await readSetting("loops", 0)
const part = await readSetting("part", "nothing")

const fifo = Buffer.alloc(windowSamples * sampleBytes)
for (let i = 0; i < windowSamples; i++) {
    // Three pulses in 2 s: 90 bpm.
    const phase = (3 * i) % windowSamples
    const counts = 120000 + (phase < 12 ? -100 * phase : 31 * phase - 1572)
    for (const at of [i * sampleBytes, i * sampleBytes + 3]) {
        fifo[at] = counts >> 16
        fifo[at + 1] = counts >> 8
        fifo[at + 2] = counts
    }
}

// Shaken hard, however often.
const felt = Buffer.alloc(windowSamples * accelerationBytes)
for (let i = 0; i < felt.length; i += 2) felt.setAt(i, "i16", ((977 * i) % 150) * 40 - 3000)

const heart = new HeartRate() as any
const { pulse, acceleration, correlation, tracker } = heart
for (let n = 0; n < 6; n++) {
    heart.pushAcceleration(felt, windowSamples)
    heart.push(fifo, 0, windowSamples)
    await heart.estimate()
}
const values = correlation.values
const oxygen = new Oxygen(textbook)
heart.pushAcceleration(felt, windowSamples)

async function perform() {
    if (part === "filter") heart.push(fifo, 0, windowSamples)
    else if (part === "acceleration") heart.pushAcceleration(felt, windowSamples)
    else if (part === "motion") acceleration.remove(pulse.values, 0)
    // These two pause by themselves: only what comes before their first pause counts.
    else if (part === "autocorrelation, 7 lags") await correlation.add(pulse.values)
    else if (part === "spectrum, 16 bins") await tracker.transform(values)
    else if (part === "blocks") correlation.combine()
    else if (part === "normalise") correlation.normalise()
    else if (part === "period") periodBpm(values, shortestPeriod(values))
    else if (part === "tracker") tracker.weigh(1, 90, 0.9, 0)
    else if (part === "choice") tracker.choose(1, 1)
    else if (part === "oxygen") oxygen.push(fifo, 0, windowSamples)
    else if (part === "oxygen, 2 s") oxygen.next(1, false)
    else if (part === "judgement") heart.judge()
}

await sleep(10)
for (let i = 0; i < loops; i++);
await perform()
await sleep(10)
console.log("done " + Math.round(heart.bpm))
