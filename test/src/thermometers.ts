// Reads each kind of thermometer every second and prints what came, or why not; test/firmware/thermometers.test.ts breaks them.
import { millis, sleep } from "@devicescript/core"
import { readMax30205, startMax30205 } from "../../src/drivers/max30205"
import { readMlx90614, startMlx90614 } from "../../src/drivers/mlx90614"
import { SensorError, useBus } from "../../src/drivers/registers"
import { readTmp117, startTmp117 } from "../../src/drivers/tmp117"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

useBus(simulatedI2C)
const names = ["max30205", "tmp117", "mlx90614"]
const running = [false, false, false]

async function start(n: number): Promise<boolean> {
    if (n === 0) return await startMax30205(0x48)
    if (n === 1) return await startTmp117(0x49)
    return await startMlx90614()
}

async function read(n: number): Promise<number> {
    if (n === 0) return await readMax30205(0x48)
    if (n === 1) return await readTmp117(0x49)
    return await readMlx90614()
}

async function measure(n: number) {
    try {
        if (!running[n] && !(await start(n))) throw new SensorError("another chip")
        running[n] = true
        console.log(`${names[n]} ${await read(n)}`)
    } catch (e) {
        running[n] = false
        const error = e as Error
        console.log(`${names[n]} ${error.name}: ${error.message}`)
    }
}

for (;;) {
    const start = millis()
    for (let n = 0; n < names.length; n++) await measure(n)
    await sleep(1000 - (millis() - start))
}
