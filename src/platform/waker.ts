import * as ds from "@devicescript/core"
import { Signal } from "./signal"

/*
 * Keeps the main loop of a Pico W's runtime going.
 *
 * One timer ends the loop's wait for an interrupt. If it is set to a moment in the past, it does not fire for more than
 * an hour (fault 1 of docs/upstream.md). Sending any packet sets it again, but a fiber that would send one waits for
 * that timer. The end of a transfer on an SPI bus is a separate interrupt. So one fiber sends zeros, as slowly as
 * possible, to an unconnected pin, and another one a packet after each transfer: the loop runs again within the time of a
 * transfer, whatever the state of the timer. They must be two: the runtime lets a fiber wait with its packet for that timer
 * when there were many, and meanwhile no transfer would be under way.
 *
 * Started by `main-picow.ts`; has no state.
 */

/** The pin stays low; nothing may be connected to it. */
const dataPin = 19
const noPin = -1
/** Slightly above the minimum of an RP2040. */
const clockHz = 2000
/** 192 ms, minus the eight bytes that the bus buffers. */
const transferBytes = 48
/** Code of the packet in its specification, services/announcement.md. */
const noopSpec = 0x0080
const controlService = 0

type Runtime = typeof ds & {
    spiConfigure(miso: number, mosi: number, sck: number, mode: number, hz: number): void
    spiXfer(sent: Buffer, received: Buffer): Promise<void>
    _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void>
}

/** Must be called once, before anything else that sleeps. */
export function startWaker(): void {
    ;(ds as Runtime).spiConfigure(noPin, dataPin, noPin, 0, clockHz)
    // In RAM: while flash is written, nobody can read it.
    const zeros = Buffer.alloc(transferBytes)
    const noop = ds.Announcement.spec.byCode(noopSpec).encode([])
    const sent = new Signal()
    const transfer = async () => {
        for (;;) {
            await (ds as Runtime).spiXfer(zeros, undefined)
            sent.raise()
        }
    }
    const send = async () => {
        for (;;) {
            await sent.wait()
            await (ds as Runtime)._serverSend(controlService, noop)
        }
    }
    transfer.start()
    send.start()
}
