// Gets readings in m°C from a chip at 0x10, a burst of them at a time, and writes back the body temperatures that follow
// from them, 0 where there is none; test/firmware/temperature.test.ts makes them. The first byte says what to do.
import { sleep } from "@devicescript/core"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"
import { nextTemperature, resetTemperature } from "../../src/sensing/temperature"

const newWearer = 1
const infrared = 2
const size = 50

const burst = Buffer.alloc(1 + 2 * size)
const values = Buffer.alloc(2 * size)
for (;;) {
    await simulatedI2C(0x10, hex``, burst)
    if (burst[0] & newWearer) resetTemperature()
    for (let i = 0; i < size; i++) {
        const celsius = burst.getAt(1 + 2 * i, "u16") / 1000
        const value = nextTemperature(celsius, (burst[0] & infrared) !== 0)
        values.setAt(2 * i, "u16", value === undefined ? 0 : Math.round(value * 1000))
        if (i % 10 === 9) await sleep(0)
    }
    await simulatedI2C(0x10, values)
}
