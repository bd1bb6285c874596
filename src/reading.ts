/** The measurements of one moment, every 2 s. */
export class Reading {
    /** `millis()` at the end of the window. */
    atMs: number
    /** Beats per minute. Undefined: not trusted. */
    bpm: number | undefined
    /** From 0 to 1. */
    quality: number
    /** The wearer moved too much to trust `bpm`. */
    motion: boolean
    /**
     * Oxygen saturation in percent. Only in a reading that completes 8 s without an earlier value, and undefined if not
     * trusted.
     */
    spo2: number | undefined
    /** Degrees Celsius. Undefined until settled, and if the sensor fails. */
    tempC: number | undefined
    /** Whether there is skin in front of the optical sensor. Undefined if the sensor does not respond. */
    contact: boolean | undefined
    /** Whether the thermometer responds. */
    hasThermometer: boolean
}
