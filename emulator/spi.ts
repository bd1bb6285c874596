import type { Chip } from "./chip/chip.ts"

/** rp2040js' SPI masters send at once; here each word takes the time of its bits. Nothing is connected to them. */
export function timeTransfers(chip: Chip): void {
    for (const spi of chip.spi) {
        const sent = chip.time.createAlarm(() => spi.completeTransmit(0))
        spi.onTransmit = () => sent.schedule((1e9 * spi.dataBits) / spi.clockFrequency)
    }
}
