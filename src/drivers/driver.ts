/**
 * The contract of all drivers. A driver is one file with a function for each verb, named after its chip: `startLis3dh`,
 * `readLis3dh`, `stopLis3dh`. What goes wrong is said in the same way by all of them:
 *
 * | what | how it is said |
 * |---|---|
 * | nobody answers, or the bus does not work | every verb throws I2CError |
 * | another chip answers at the address | `start` resolves to false, and has written nothing |
 * | the chip does not take its configuration, has lost it since, or does not measure | `start` or `read` throws SensorError |
 * | samples were lost since the last `read` | `read` resolves to undefined, and goes on with the next sample |
 *
 * After any error the chip has to be started again. Whatever is written to a chip is read back, for on an RP2040 a byte that
 * the chip did not acknowledge counts as written.
 */
export interface Driver<Measurement> {
    /** Brings the chip out of any state to measure. @returns false when it is another chip */
    start(): Promise<boolean>
    /**
     * What was measured: of a chip with a FIFO all samples since the last `read`, oldest first, perhaps none; of a thermometer the
     * temperature of this moment, which has no gap. @returns undefined after a gap
     */
    read(): Promise<Measurement | undefined>
    /** Saves power until the next `start`; absent where the chip sleeps by itself between two readings, or never. */
    stop?(): Promise<void>
}
