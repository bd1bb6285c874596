// Between two pauses: a loop of `loops` iterations, then one part of the estimator's work for a window of 2 s. The VM
// panics if that takes more than 131,072 steps, which reveals the number of steps of the part.
import { sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { accelerationBytes } from "../../src/drivers/acceleration"
import { sampleBytes } from "../../src/drivers/max30102"
import { combine, correlation, multiply, newSums, tapered } from "../../src/heart/autocorrelation"
import { bpm, estimateHeart, judge, pushAcceleration, pushLight } from "../../src/heart/heartrate"
import { correlateMotion, removeMotion, subtractMotion } from "../../src/heart/motion"
import { addColours, nextOxygen } from "../../src/heart/oxygen"
import { periodBpm, shortestPeriod } from "../../src/heart/period"
import { pulse } from "../../src/heart/pulse"
import { choose, discourage, transform, weigh } from "../../src/heart/tracker"

const windowSamples = 50
const products = newSums()
const spectrum = Buffer.alloc(4 * 71)
for (let at = 0; at < spectrum.length; at += 4) spectrum.setAt(at, "f32", 1)

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

// Strong shaking at an arbitrary rate.
const felt = Buffer.alloc(windowSamples * accelerationBytes)
for (let i = 0; i < felt.length; i += 2) felt.setAt(i, "i16", ((977 * i) % 150) * 40 - 3000)

for (let n = 0; n < 6; n++) {
    pushAcceleration(felt, windowSamples)
    pushLight(fifo, 0, windowSamples)
    await estimateHeart()
}
pushAcceleration(felt, windowSamples)

async function perform() {
    if (part === "filter") pushLight(fifo, 0, windowSamples)
    else if (part === "acceleration") pushAcceleration(felt, windowSamples)
    else if (part === "motion") removeMotion(pulse, 0)
    else if (part === "autocorrelation") multiply(pulse, products)
    else if (part === "rhythm") correlateMotion()
    else if (part === "subtraction") subtractMotion(spectrum, 30, 3)
    else if (part === "spectrum, slow") transform(tapered, true)
    else if (part === "spectrum, fast") transform(tapered, false)
    else if (part === "blocks") combine()
    else if (part === "period") periodBpm(correlation, shortestPeriod(correlation))
    else if (part === "tracker") weigh(1, 90, 0.9, 0)
    else if (part === "prior") discourage(1, 15)
    else if (part === "choice") choose(1, 1)
    else if (part === "oxygen") addColours(fifo, 0, windowSamples)
    else if (part === "oxygen, 2 s") nextOxygen(1, false)
    else if (part === "judgement") judge()
}

await sleep(10)
for (let i = 0; i < loops; i++);
await perform()
await sleep(10)
console.log("done " + Math.round(bpm))
