export type Led = "red" | "infrared"

/** What the sensors of a mote see of its wearer, as functions of time in seconds. */
export interface Body {
    /**
     * Photocurrent in nA per mA of LED current. A pulse brings blood, and blood absorbs light: more blood, less light.
     */
    reflectance(led: Led, seconds: number): number
    /** Skin temperature under the sensor in °C, including the lag of the sensor's thermal mass. */
    skinTemperature(seconds: number): number
    /** Ambient light on the photodiode in nA. Absent: none. */
    ambientLight?(seconds: number): number
    /** Acceleration in g along x, y and z, gravity included. Absent: the mote has no accelerometer. */
    acceleration?(seconds: number): Acceleration
}

/** x, y and z in g. */
export type Acceleration = [x: number, y: number, z: number]

/** Lying still, z up. */
export const restingAcceleration: Acceleration = [0, 0, 1]

/** Skin at rest: at 7 mA LED current and the 4,096 nA range, a MAX30102 counts about 120,000 of infrared. */
export const skinReflectance: Record<Led, number> = { red: 220, infrared: 268 }

/** Reflectance of the cover glass with nothing on it. */
const glassReflectance = 2

export const roomTemperatureC = 23

/**
 * Ratio of the pulsatile fractions of red and infrared: SpO2 = 110 − 25 R, the usual linear calibration.
 * @param spo2 oxygen saturation in percent
 */
export function ratioOfRatios(spo2: number): number {
    return (110 - spo2) / 25
}

/** A mote that nobody wears, lying face up in a room. */
export const emptyStrap: Body = {
    reflectance: () => glassReflectance,
    skinTemperature: () => roomTemperatureC,
    acceleration: () => restingAcceleration,
}
