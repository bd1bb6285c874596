import * as ds from "@devicescript/core"

/*
 * Keeps the main loop of a Pico W's runtime going.
 *
 * What ends the loop's wait for an interrupt is one timer. It can be set to a moment that has passed: then it is silent for more than an
 * hour (fault 1 of docs/upstream.md). Sending any packet sets it anew, but whoever would send it waits for that timer. The end of
 * a transfer on an SPI bus, though, is an interrupt of its own. So one fiber sends zeros, as slowly as can be, to a pin that nothing is
 * connected to: the loop has its turn within the time of a transfer, whatever became of the timer. Another sends packets.
 *
 * Started by `main-picow.ts`; has no state.
 */

/** It stays low: nothing may be connected to it. */
const dataPin = 19
const noPin = -1
/** Not much above the least that an RP2040 can. */
const clockHz = 2000
/** 128 ms, less the eight bytes that the bus takes at once. */
const transferBytes = 32
const packetMs = 100
/** By this code the packet is found in its specification, services/announcement.md. */
const noopSpec = 0x0080
const controlService = 0

type Runtime = typeof ds & {
    spiConfigure(miso: number, mosi: number, sck: number, mode: number, hz: number): void
    spiXfer(sent: Buffer, received: Buffer): Promise<void>
    _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void>
}

/** To be called once, before anything else that sleeps. */
export function startWaker(): void {
    ;(ds as Runtime).spiConfigure(noPin, dataPin, noPin, 0, clockHz)
    transfer.start()
    send.start()
}

async function transfer(): Promise<void> {
    // In RAM: while flash is written, nobody can read it.
    const zeros = Buffer.alloc(transferBytes)
    for (;;) await (ds as Runtime).spiXfer(zeros, undefined)
}

async function send(): Promise<void> {
    const noop = ds.Announcement.spec.byCode(noopSpec).encode([])
    for (;;) {
        await ds.sleep(packetMs)
        await (ds as Runtime)._serverSend(controlService, noop)
    }
}
