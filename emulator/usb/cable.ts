import { USBCDC } from "rp2040js"
import { toServiceClass } from "../../sim/jacdac/frame.ts"
import type { Chip } from "../chip/chip.ts"
import { Unquoter, quote } from "./quoting.ts"

const usbBridgeServiceClass = 0x18f61a4a
const ENABLE_PACKETS = 0x81
/** More than that waits for a board that does not listen. */
const maxWaitingBytes = 65_536

/**
 * A USB cable to a computer with the developer tools: a serial port that carries Jacdac frames. rp2040js enumerates the device; its
 * own answer to an empty queue, a packet without contents every 10 µs, would keep the board busy.
 */
export class UsbCable {
    private readonly unquoter: Unquoter
    private chip: Chip | undefined
    private waiting = Buffer.alloc(0)
    private isOpen = false
    /** A read of the device that has no answer yet. */
    private request: { endpoint: number; size: number } | undefined

    /** @param receive gets the frames on the board's Jacdac bus */
    constructor(receive: (frame: Uint8Array) => void) {
        this.unquoter = new Unquoter(receive)
    }

    /** Plugs it into a board that has just started. */
    connect(chip: Chip): void {
        const { usbCtrl } = chip
        this.chip = chip
        this.isOpen = false
        this.waiting = Buffer.alloc(0)
        this.request = undefined
        const port = new USBCDC(usbCtrl)
        port.onSerialData = bytes => this.unquoter.push(bytes)
        port.onDeviceConnected = () => {
            this.isOpen = true
            this.send(toServiceClass(usbBridgeServiceClass, ENABLE_PACKETS, new Uint8Array(0)))
        }
        usbCtrl.onEndpointRead = (endpoint, size) => {
            if (endpoint === 0) return
            this.request = { endpoint, size }
            this.answer()
        }
    }

    /** A frame to the board. */
    send(frame: Uint8Array): void {
        if (!this.isOpen || this.waiting.length > maxWaitingBytes) return
        this.waiting = Buffer.concat([this.waiting, quote(frame)])
        this.answer()
    }

    private answer(): void {
        if (!this.request || !this.waiting.length) return
        const { endpoint, size } = this.request
        this.request = undefined
        const bytes = Uint8Array.from(this.waiting.subarray(0, size))
        this.waiting = this.waiting.subarray(size)
        this.chip!.usbCtrl.endpointReadDone(endpoint, bytes)
    }
}
