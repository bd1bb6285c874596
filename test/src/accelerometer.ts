// Reads the accelerometer and prints what came, or that none runs; test/firmware/accelerometer.test.ts breaks it.
import { millis, sleep } from "@devicescript/core"
import { accelerationBytes } from "../../src/drivers/acceleration"
import { acceleration, readAccelerometer, startAccelerometer } from "../../src/sensing/accelerometer"
import { useBus } from "../../src/drivers/registers"
import { isRunning, Sensor } from "../../src/sensing/health"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

useBus(simulatedI2C)

async function read() {
    if (!isRunning(Sensor.accelerometer)) await startAccelerometer()
    if (!isRunning(Sensor.accelerometer)) return console.log("none")
    const count = await readAccelerometer()
    let line = `burst ${count}`
    for (let at = 0; at < count * accelerationBytes; at += 2) line += ` ${acceleration.getAt(at, "i16")}`
    console.log(line)
}

for (let i = 0; ; i++) {
    const start = millis()
    await read()
    // Once the program is late enough for a FIFO of 32 samples to overflow.
    const pause = i === 50 ? 1500 : 400
    await sleep(pause - (millis() - start))
}
