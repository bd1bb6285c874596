// Reads the optical sensor's chip and prints what came, or why not; test/firmware/drivers.test.ts breaks them.
import { millis, sleep } from "@devicescript/core"
import { newestMs, readMax30102, sampleBytes, startMax30102 } from "../../src/drivers/max30102"
import { useBus } from "../../src/drivers/registers"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

useBus(simulatedI2C)
let opticalRuns = false

/** Counts of infrared of the sample at byte `at`. */
function infrared(samples: Buffer, at: number): number {
    return ((samples[at + 3] & 3) << 16) | (samples[at + 4] << 8) | samples[at + 5]
}

async function readOptical() {
    try {
        if (!opticalRuns) opticalRuns = await startMax30102(35, 35)
        const samples = await readMax30102()
        const bytes = samples ? samples.length : -sampleBytes
        let line = `optical ${bytes / sampleBytes} ${newestMs}`
        for (let at = 0; at < bytes; at += sampleBytes) line += ` ${infrared(samples, at)}`
        console.log(line)
    } catch (e) {
        opticalRuns = false
        console.log(`optical ${(e as Error).name}`)
    }
}

for (let i = 0; ; i++) {
    const start = millis()
    await readOptical()
    // Once the program is late enough for the 32 samples of a full FIFO, twice too late for all of them.
    const pause = i === 10 ? 1290 : i === 20 ? 1900 : i === 30 ? 5000 : 400
    await sleep(pause - (millis() - start))
}
