/** Bytecode operations that the VM allows between two suspensions. */
export const maxSteps = 131_072
/** Heap size of the VM on RP2040, ESP32 and in the simulator. */
export const heapBytes = 65_536
/**
 * Time in µs of one operation, one AES block and one SHA-256 block on an RP2040 at 125 MHz, and the power of a busy core: 24 mA at 3.3 V,
 * about, of published measurements.
 */
export const rp2040 = { stepUs: 2.3, aesUs: 132, shaUs: 76, busyMw: 80 }

/**
 * The largest multiple of `unit` from `low` up to below `high` for which `holds` is true; it is assumed for `low`. The
 * VM reports neither steps nor heap usage, but it panics when there are too many.
 */
export async function bisect(
    low: number,
    high: number,
    holds: (n: number) => Promise<boolean>,
    unit = 1,
): Promise<number> {
    while (high - low > unit) {
        const middle = low + Math.floor((high - low) / 2 / unit) * unit
        if (await holds(middle)) low = middle
        else high = middle
    }
    return low
}
