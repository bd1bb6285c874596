// Reads the optical sensor's chip and prints what came, or why not; test/firmware/drivers.test.ts breaks them.
import { millis, sleep } from "@devicescript/core"
import { Max30102, sampleBytes } from "../../src/drivers/max30102"
import { SimulatedI2C } from "../../src/simulated-i2c"

const optical = new Max30102(new SimulatedI2C())
let opticalRuns = false

/** Counts of infrared of the sample at byte `at`. */
function infrared(fifo: Buffer, at: number): number {
    return ((fifo[at + 3] & 3) << 16) | (fifo[at + 4] << 8) | fifo[at + 5]
}

async function readOptical() {
    try {
        if (!opticalRuns) await optical.start(35, 35)
        opticalRuns = true
        const count = await optical.read()
        let line = `optical ${count} ${optical.newestMs}`
        for (let i = 0; i < count; i++) line += ` ${infrared(optical.fifo, i * sampleBytes)}`
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
