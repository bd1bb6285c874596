/** What the mote knows at one moment, every 2 s. */
export class Reading {
    /** `millis()` at the end of the window. */
    atMs: number
    /** Beats per minute; absent when not trusted. */
    bpm: number | undefined
    /** 0…1 */
    quality: number
    /** The wearer moved too much to trust `bpm`. */
    motion: boolean
    /**
     * Oxygen saturation in percent; present only in the reading that ends 8 s of which nothing has been reported yet, and
     * absent when not trusted.
     */
    spo2: number | undefined
    /** Degrees Celsius; absent until settled and on sensor failure. */
    tempC: number | undefined
    /** Whether there is skin in front of the optical sensor; absent when that does not answer. */
    contact: boolean | undefined
    /** Whether the thermometer answers. */
    hasThermometer: boolean
}
