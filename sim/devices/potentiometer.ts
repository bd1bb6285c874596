import type { Service } from "../jacdac/device.ts"
import type { Packet } from "../jacdac/frame.ts"

const getReading = 0x1101
const fullScale = 0xffff

/**
 * Jacdac's service Potentiometer: what an analogue pin of a board is to the firmware. It answers, but does not stream.
 */
export class Potentiometer implements Service {
    readonly serviceClass = 0x1f274746
    private readonly share: () => number

    /** @param share of the full scale, 0 to 1, whenever it is asked for */
    constructor(share: () => number) {
        this.share = share
    }

    handle(command: Packet, report: (command: number, payload: Uint8Array) => void): void {
        if (command.command !== getReading) return
        const payload = Buffer.alloc(2)
        payload.writeUInt16LE(Math.round(fullScale * Math.max(0, Math.min(1, this.share()))))
        report(getReading, payload)
    }
}
