/**
 * The contract of all drivers. A driver is one file with a function per verb, named after its chip: `startLis3dh`,
 * `readLis3dh`, `stopLis3dh`. All report errors in the same way:
 *
 * | problem | how it is reported |
 * |---|---|
 * | no chip responds, or the bus does not work | every verb throws I2CError |
 * | another chip responds at the address | `start` resolves to false, and has written nothing |
 * | the chip does not accept its configuration, has lost it since, or does not measure | `start` or `read` throws SensorError |
 * | samples were lost since the last `read` | `read` resolves to undefined, and continues with the next sample |
 *
 * After any error the chip must be started again. Every write to a chip is read back, because an RP2040 reports a byte as
 * written even if the chip did not acknowledge it.
 */
export interface Driver<Measurement> {
    /** Brings the chip from any state into measurement. @returns false if it is another chip */
    start(): Promise<boolean>
    /**
     * Reads the measurements: from a chip with a FIFO all samples since the last `read`, oldest first, possibly none;
     * from a thermometer the current temperature, which has no gaps. @returns undefined after a gap
     */
    read(): Promise<Measurement | undefined>
    /** Saves power until the next `start`. Absent if the chip sleeps by itself between readings, or never. */
    stop?(): Promise<void>
}
