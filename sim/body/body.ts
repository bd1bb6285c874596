export type Led = "red" | "infrared"

/** What the sensors of a mote see of its wearer, as functions of the time in seconds. */
export interface Body {
    /**
     * Photocurrent in nA per mA of LED current. A pulse brings blood, blood absorbs light: the more blood, the less.
     */
    reflectance(led: Led, seconds: number): number
    /** °C at the skin under the sensor, as the sensor's thermal mass lets it see that. */
    skinTemperature(seconds: number): number
    /** Light of the surroundings on the photodiode, in nA; none where absent. */
    ambientLight?(seconds: number): number
    /** What an accelerometer feels, in g along x, y and z, gravity included; absent: the mote has none. */
    acceleration?(seconds: number): Acceleration
}

/** x, y and z in g. */
export type Acceleration = [x: number, y: number, z: number]

/** Lying still, z up. */
export const restingAcceleration: Acceleration = [0, 0, 1]

/** Skin at rest: with the LED at 7 mA and the 4,096 nA range of a MAX30102 about 120,000 counts of infrared. */
export const skinReflectance: Record<Led, number> = { red: 220, infrared: 268 }

/** What the cover glass returns when nothing lies on it. */
const glassReflectance = 2

export const roomTemperatureC = 23

/**
 * The pulsatile fraction of red over that of infrared: SpO2 = 110 − 25 R, the usual linear calibration.
 * @param spo2 oxygen saturation in percent
 */
export function ratioOfRatios(spo2: number): number {
    return (110 - spo2) / 25
}

/** A mote that nobody wears, face up in a room. */
export const emptyStrap: Body = {
    reflectance: () => glassReflectance,
    skinTemperature: () => roomTemperatureC,
    acceleration: () => restingAcceleration,
}
