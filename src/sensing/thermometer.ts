import { millis } from "@devicescript/core"
import { readMax30205, startMax30205 } from "../drivers/max30205"
import { mlx90614Address, readMlx90614, startMlx90614 } from "../drivers/mlx90614"
import { I2CError, SensorError } from "../drivers/registers"
import { readTmp117, startTmp117 } from "../drivers/tmp117"
import { failed, isRunning, Sensor, works } from "./health"
import { nextTemperature, resetTemperature } from "./temperature"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * The mote's thermometer: a MAX30205, TMP117 or MLX90614, whichever is there. Nothing here throws. A chip that is
 * absent or fails is probed again: at its last address with every reading, at the others frequently at first and then
 * rarely; it may then be another chip.
 *
 * Starts when it is imported; `sensing.ts` reads it every 2 s. Only this module writes its state.
 */

/**
 * Possible addresses, the likely ones first: all 32 of a MAX30205, which include those of a TMP117 and an MLX90614. 57
 * is left out: it is the optical sensor, whose registers change when they are read.
 */
const addresses = hex`
    48 49 4a 4b 5a 4c 4d 4e 4f 40 41 42 43 44 45 46
    47 50 51 52 53 54 55 56 58 59 5b 5c 5d 5e 5f`
const firstTmp117 = 0x48
const lastTmp117 = 0x4b

/**
 * Addresses probed per reading, besides the last known one: all within two readings for a minute, then one per reading.
 */
const quickProbes = 16
const slowProbes = 1
const quickReadings = 30
/** On a board a transaction blocks all other fibers. */
const probesInARow = 4
/** Maximum time of a search per reading, whatever the bus does. */
const searchMs = 300

/** I2CError of a stuck bus in the simulator (services/sensor-bus.md), and of a bus that does not respond. */
const stuckBus = 2
const noAnswer = 255

/** Chip types. */
const enum Chip {
    max30205 = 0,
    tmp117 = 1,
    mlx90614 = 2,
}

let chip: Chip
/** Its address, or its last one. */
let address = addresses[0]
/** Index in `addresses` at which the search continues. */
let next = 0
/** Readings without a sensor. */
let missed = 0

/**
 * Measures; must be called every 2 s.
 * @param isWorn whether there is a wearer, as far as known
 * @returns °C; undefined until settled, while nobody wears the mote, and if the sensor does not respond
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
 * Starts a sensor, if there is one at the addresses probed by this reading.
 * @throws I2CError if the bus does not work; SensorError if a sensor does not start, or none was found anywhere
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
 * Starts the sensor at an address, whatever it is. A chip that could be mistaken for another is tried first.
 * @returns whether there is one
 * @throws SensorError if it does not start, I2CError if the bus does not work
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
        return false // no chip
    }
}

/** A board reports only that a transaction failed. */
function isBusFault(status: number): boolean {
    return status === stuckBus || status === noAnswer
}
