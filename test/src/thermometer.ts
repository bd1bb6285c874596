// Lets the mote's thermometer find its chip and prints every reading; test/firmware/thermometer.test.ts has the chips.
import { millis, sleep } from "@devicescript/core"
import { SimulatedI2C } from "../../src/simulated-i2c"
import { Thermometer } from "../../src/thermometer"

const thermometer = new Thermometer(new SimulatedI2C())
for (;;) {
    const start = millis()
    const celsius = await thermometer.read(true)
    console.log(`reading ${thermometer.health.isRunning ? "runs" : "fails"} ${celsius}`)
    await sleep(2000 - (millis() - start))
}
