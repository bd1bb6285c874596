import { accelerationBytes } from "../drivers/acceleration"
import { readLis3dh, startLis3dh, stopLis3dh } from "../drivers/lis3dh"
import { readLsm6dso, startLsm6dso, stopLsm6dso } from "../drivers/lsm6dso"
import { SensorError } from "../drivers/registers"
import { failed, isRunning, runs, Sensor, works } from "./health"

/*
 * The mote's accelerometer. Nothing here throws: one that is absent or fails is not running.
 *
 * Started, read and stopped by `sensing.ts`; only this module writes its state.
 */

/** Addresses of a LIS3DH, then of an LSM6DSO. */
const addresses = hex`18 19 6a 6b`
const lastLis3dh = 0x19

/** Samples of the last `readAccelerometer`, in the format of drivers/acceleration.ts, oldest first. */
export let acceleration: Buffer
/** Address of the chip, which implies its type. */
let address = 0

/** Probes the known addresses for an accelerometer, and starts it. */
export async function startAccelerometer(): Promise<void> {
    let reason: Error = new SensorError("none found")
    for (let i = 0; i < addresses.length; i++) {
        address = addresses[i]
        try {
            if (isLis3dh() ? await startLis3dh(address) : await startLsm6dso(address)) {
                runs(Sensor.accelerometer)
                return
            }
            reason = new SensorError("unknown chip")
        } catch (e) {
            if (e instanceof SensorError) reason = e as Error
        }
    }
    failed(Sensor.accelerometer, reason)
}

/** Powers the chip down, if it is there, until `startAccelerometer`. */
export async function stopAccelerometer(): Promise<void> {
    try {
        if (!isRunning(Sensor.accelerometer)) return
        if (isLis3dh()) await stopLis3dh(address)
        else await stopLsm6dso(address)
    } catch (e) {
        failed(Sensor.accelerometer, e as Error)
    }
}

/**
 * Reads the chip's samples into `acceleration`, 25 or 26 a second.
 * @returns the number of samples; −1 after a gap in the signal
 */
export async function readAccelerometer(): Promise<number> {
    try {
        const samples = isLis3dh() ? await readLis3dh(address) : await readLsm6dso(address)
        works(Sensor.accelerometer)
        if (!samples) return -1
        acceleration = samples
        return Math.idiv(samples.length, accelerationBytes)
    } catch (e) {
        failed(Sensor.accelerometer, e as Error)
        return -1
    }
}

function isLis3dh(): boolean {
    return address <= lastLis3dh
}
