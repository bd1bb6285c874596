import { millis, sleep } from "@devicescript/core"
import { I2C, I2CError } from "@devicescript/i2c"
import { Max30205 } from "./drivers/max30205"
import { Mlx90614, mlx90614Address } from "./drivers/mlx90614"
import { OtherChipError, SensorError } from "./drivers/registers"
import { Tmp117 } from "./drivers/tmp117"
import { Health } from "./health"
import { BodyTemperature } from "./temperature"

/**
 * Where a thermometer can be, the likely places first: all 32 addresses of a MAX30205, among them those of a TMP117 and of
 * an MLX90614, but for 57, which is the optical sensor's: its registers change when they are read.
 */
const addresses = hex`
    48 49 4a 4b 5a 4c 4d 4e 4f 40 41 42 43 44 45 46
    47 50 51 52 53 54 55 56 58 59 5b 5c 5d 5e 5f`
const firstTmp117 = 0x48
const lastTmp117 = 0x4b

/** Addresses that a reading looks at, besides the last known: all in two readings for a minute, then ever so slowly. */
const quickProbes = 16
const slowProbes = 1
const quickReadings = 30
/** On a board a transaction lets nobody else run. */
const probesInARow = 4
/** The most that looking for a sensor may take of a reading, whatever the bus does. */
const searchMs = 300

/** I2CError of a stuck bus in the simulator (services/sensor-bus.md), and of one from which nobody answers. */
const stuckBus = 2
const noAnswer = 255

/**
 * The mote's thermometer: a MAX30205, TMP117 or MLX90614, whichever is there. Nothing here throws: a chip that is absent
 * or fails is looked for again, where it was with every reading, elsewhere soon at first and then ever so slowly; it may
 * be another one then.
 */
export class Thermometer {
    readonly health = new Health("thermometer")
    readonly body = new BodyTemperature()
    private i2c: I2C
    private chip: Max30205 | Tmp117 | Mlx90614
    /** Where it is, or was last. */
    private address = addresses[0]
    /** Where in `addresses` the search goes on. */
    private next = 0
    /** Readings without a sensor. */
    private missed = 0

    constructor(i2c: I2C) {
        this.i2c = i2c
    }

    /**
     * Measures; to be called every 2 s.
     * @param isWorn whether there is a wearer, as far as anybody knows
     * @returns °C, undefined until settled, when nobody wears the mote, and when the sensor does not answer
     */
    async read(isWorn: boolean): Promise<number | undefined> {
        const { body, health } = this
        try {
            if (!health.isRunning) {
                body.reset()
                if (!(await this.find())) return undefined
            }
            const celsius = await this.chip.read()
            health.works()
            this.missed = 0
            return isWorn ? body.next(celsius, this.chip instanceof Mlx90614) : body.reset()
        } catch (e) {
            health.failed(e as Error)
            return undefined
        }
    }

    /**
     * Starts a sensor, if one is where this reading looks.
     * @throws I2CError when the bus does not work; SensorError when a sensor does not start, or there is none anywhere
     */
    private async find(): Promise<boolean> {
        const deadline = millis() + searchMs
        const probes = this.missed < quickReadings ? quickProbes : slowProbes
        this.missed++
        if (await this.startAt(this.address)) return true
        for (let i = 0; i < probes && millis() < deadline; i++) {
            const address = addresses[this.next]
            this.next = (this.next + 1) % addresses.length
            if (await this.startAt(address)) return true
            if (i % probesInARow === 0) await sleep(0)
            if (this.next === 0) throw new SensorError("none found")
        }
        return false
    }

    /**
     * Starts whatever sensor is at an address; one that another could mistake for its own is asked first.
     * @returns whether there is one
     * @throws SensorError when it does not start, I2CError when the bus does not work
     */
    private async startAt(address: number): Promise<boolean> {
        for (const chip of this.chipsFor(address))
            try {
                await chip.start()
                this.chip = chip
                this.address = address
                return true
            } catch (e) {
                if (e instanceof OtherChipError) continue
                if (e instanceof SensorError || isBusFault((e as I2CError).status)) throw e
                return false // nobody
            }
        return false
    }

    private chipsFor(address: number): (Max30205 | Tmp117 | Mlx90614)[] {
        const { i2c } = this
        const max30205 = new Max30205(i2c, address)
        if (address === mlx90614Address) return [new Mlx90614(i2c), max30205]
        if (address >= firstTmp117 && address <= lastTmp117)
            return [new Tmp117(i2c, address), max30205]
        return [max30205]
    }
}

/** A board says no more of a failed transaction than that it failed. */
function isBusFault(status: number): boolean {
    return status === stuckBus || status === noAnswer
}
