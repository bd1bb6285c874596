// Lets the mote's thermometer find its chip and prints every reading; test/firmware/thermometer.test.ts has the chips.
import { millis, sleep } from "@devicescript/core"
import { useBus } from "../../src/drivers/registers"
import { isRunning, Sensor } from "../../src/sensing/health"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"
import { readThermometer } from "../../src/sensing/thermometer"

useBus(simulatedI2C)
for (;;) {
    const start = millis()
    const celsius = await readThermometer(true)
    console.log(`reading ${isRunning(Sensor.thermometer) ? "runs" : "fails"} ${celsius}`)
    await sleep(2000 - (millis() - start))
}
