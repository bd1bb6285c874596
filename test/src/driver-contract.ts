// Starts and reads the chip of one driver every 400 ms and prints what came of it; test/firmware/driver-contract.test.ts is the chip.
import { millis } from "@devicescript/core"
import { accelerationBytes } from "../../src/drivers/acceleration"
import { Driver } from "../../src/drivers/driver"
import { readLis3dh, startLis3dh, stopLis3dh } from "../../src/drivers/lis3dh"
import { readLsm6dso, startLsm6dso, stopLsm6dso } from "../../src/drivers/lsm6dso"
import { readMax30102, sampleBytes, startMax30102, stopMax30102 } from "../../src/drivers/max30102"
import { readMax30205, startMax30205 } from "../../src/drivers/max30205"
import { readMlx90614, startMlx90614 } from "../../src/drivers/mlx90614"
import { useBus } from "../../src/drivers/registers"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"
import { readTmp117, startTmp117 } from "../../src/drivers/tmp117"
import { readSetting } from "../../src/platform/flash"
import { sleep } from "../../src/platform/sleep"

/** A chip with a FIFO gives samples of so many bytes. */
function fifo(driver: Driver<Buffer>, bytes: number): Driver<number> {
    return {
        start: driver.start,
        read: async () => {
            const samples = await driver.read()
            return samples ? Math.idiv(samples.length, bytes) : undefined
        },
        stop: driver.stop,
    }
}

function driverOf(chip: string): Driver<number> {
    switch (chip) {
        case "max30102":
            return fifo(
                { start: async () => await startMax30102(35, 35), read: readMax30102, stop: stopMax30102 },
                sampleBytes,
            )
        case "lis3dh":
            return fifo(
                {
                    start: async () => await startLis3dh(0x18),
                    read: async () => await readLis3dh(0x18),
                    stop: async () => await stopLis3dh(0x18),
                },
                accelerationBytes,
            )
        case "lsm6dso":
            return fifo(
                {
                    start: async () => await startLsm6dso(0x6a),
                    read: async () => await readLsm6dso(0x6a),
                    stop: async () => await stopLsm6dso(0x6a),
                },
                accelerationBytes,
            )
        case "max30205":
            return { start: async () => await startMax30205(0x48), read: async () => await readMax30205(0x48) }
        case "tmp117":
            return { start: async () => await startTmp117(0x49), read: async () => await readTmp117(0x49) }
        default:
            return { start: startMlx90614, read: readMlx90614 }
    }
}

useBus(simulatedI2C)
const driver = driverOf(await readSetting("chip"))
/** After so many readings the program is late once, and it stops the chip once. */
const lateAfter = await readSetting("lateAfter", -1)
const stopAfter = await readSetting("stopAfter", -1)
const pollMs = 400
const lateMs = 2500
let isRunning = false
let readings = 0

async function turn() {
    let verb = "start"
    try {
        if (!isRunning) {
            isRunning = await driver.start()
            console.log(`start ${isRunning}`)
            return
        }
        verb = "read"
        const value = await driver.read()
        console.log(`read ${value === undefined ? "gap" : "" + value}`)
        readings++
        if (readings !== stopAfter) return
        verb = "stop"
        if (driver.stop) await driver.stop()
        isRunning = false
        console.log("stop")
    } catch (e) {
        console.log(`${verb} ${(e as Error).name}`)
        isRunning = false
    }
}

for (;;) {
    const startMs = millis()
    await turn()
    if (readings === lateAfter) {
        readings++
        await sleep(lateMs)
    } else await sleep(pollMs - (millis() - startMs))
}
