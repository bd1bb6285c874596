// Reads each kind of thermometer every second and prints what came, or why not; test/firmware/thermometers.test.ts breaks them.
import { millis, sleep } from "@devicescript/core"
import { Max30205 } from "../../src/drivers/max30205"
import { Mlx90614 } from "../../src/drivers/mlx90614"
import { Tmp117 } from "../../src/drivers/tmp117"
import { SimulatedI2C } from "../../src/simulated-i2c"

const bus = new SimulatedI2C()
const names = ["max30205", "tmp117", "mlx90614"]
const chips = [new Max30205(bus, 0x48), new Tmp117(bus, 0x49), new Mlx90614(bus)]
const running = [false, false, false]

async function measure(n: number) {
    const chip = chips[n]
    try {
        if (!running[n]) await chip.start()
        running[n] = true
        console.log(`${names[n]} ${await chip.read()}`)
    } catch (e) {
        running[n] = false
        const error = e as Error
        console.log(`${names[n]} ${error.name}: ${error.message}`)
    }
}

for (;;) {
    const start = millis()
    for (let n = 0; n < chips.length; n++) await measure(n)
    await sleep(1000 - (millis() - start))
}
