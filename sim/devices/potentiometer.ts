import type { Service } from "../jacdac/device.ts"
import type { Packet } from "../jacdac/frame.ts"

const getReading = 0x1101
const fullScale = 0xffff

/**
 * The Jacdac service Potentiometer, which represents an analogue pin to the firmware. It answers requests, but does not
 * stream.
 */
export class Potentiometer implements Service {
    readonly serviceClass = 0x1f274746
    private readonly share: () => number

    /** @param share of full scale, 0 to 1, called for each request */
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
