import { millis } from "@devicescript/core"
import { readMax30205, startMax30205 } from "../drivers/max30205"
import { mlx90614Address, readMlx90614, startMlx90614 } from "../drivers/mlx90614"
import { I2CError, SensorError } from "../drivers/registers"
import { readTmp117, startTmp117 } from "../drivers/tmp117"
import { failed, isRunning, Sensor, works } from "./health"
import { nextTemperature, resetTemperature } from "./temperature"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * The mote's thermometer: a MAX30205, TMP117 or MLX90614, whichever is there. Nothing here throws: a chip that is absent
 * or fails is looked for again, where it was with every reading, elsewhere soon at first and then ever so slowly; it may
 * be another one then.
 *
 * Starts when it is imported; `sensing.ts` reads it every 2 s. Only this module writes its state.
 */

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

/** The kinds of chips. */
const enum Chip {
    max30205 = 0,
    tmp117 = 1,
    mlx90614 = 2,
}

let chip: Chip
/** Where it is, or was last. */
let address = addresses[0]
/** Where in `addresses` the search goes on. */
let next = 0
/** Readings without a sensor. */
let missed = 0

/**
 * Measures; to be called every 2 s.
 * @param isWorn whether there is a wearer, as far as anybody knows
 * @returns °C, undefined until settled, when nobody wears the mote, and when the sensor does not answer
 */
export async function readThermometer(isWorn: boolean): Promise<number | undefined> {
    try {
        if (!isRunning(Sensor.thermometer)) {
            resetTemperature()
            if (!(await find())) return undefined
        }
        const celsius = await readChip()
        works(Sensor.thermometer)
        missed = 0
        return isWorn ? nextTemperature(celsius, chip === Chip.mlx90614) : resetTemperature()
    } catch (e) {
        failed(Sensor.thermometer, e as Error)
        return undefined
    }
}

async function readChip(): Promise<number> {
    if (chip === Chip.mlx90614) return await readMlx90614()
    if (chip === Chip.tmp117) return await readTmp117(address)
    return await readMax30205(address)
}

/**
 * Starts a sensor, if one is where this reading looks.
 * @throws I2CError when the bus does not work; SensorError when a sensor does not start, or there is none anywhere
 */
async function find(): Promise<boolean> {
    const deadline = millis() + searchMs
    const probes = missed < quickReadings ? quickProbes : slowProbes
    missed++
    if (await startAt(address)) return true
    for (let i = 0; i < probes && millis() < deadline; i++) {
        const probed = addresses[next]
        next = (next + 1) % addresses.length
        if (await startAt(probed)) return true
        if (i % probesInARow === 0) await yieldToMainLoop()
        if (next === 0) throw new SensorError("none found")
    }
    return false
}

/**
 * Starts whatever sensor is at an address; one that another could mistake for its own is asked first.
 * @returns whether there is one
 * @throws SensorError when it does not start, I2CError when the bus does not work
 */
async function startAt(probed: number): Promise<boolean> {
    try {
        if (probed === mlx90614Address && (await startMlx90614())) chip = Chip.mlx90614
        else if (probed >= firstTmp117 && probed <= lastTmp117 && (await startTmp117(probed))) chip = Chip.tmp117
        else if (await startMax30205(probed)) chip = Chip.max30205
        else return false
        address = probed
        return true
    } catch (e) {
        if (e instanceof SensorError || isBusFault((e as I2CError).status)) throw e
        return false // nobody
    }
}

/** A board says no more of a failed transaction than that it failed. */
function isBusFault(status: number): boolean {
    return status === stuckBus || status === noAnswer
}
