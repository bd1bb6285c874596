import * as ds from "@devicescript/core"
import { isPicoW } from "./board"

/*
 * All sleeping of the firmware goes through here, and all packets that it sends ask here first.
 *
 * The main loop of DeviceScript's runtime runs all fibers that are due, then serves USB, WiFi and the socket, then waits for an
 * interrupt. A fiber that calls DeviceScript's own `sleep(0)` stays due: others have their turn, the main loop has not. So long work
 * is cut into slices with `yieldToMainLoop` between them.
 *
 * On an RP2040 the timer that ends the wait can be set to a moment that has passed: then the main loop waits for ever (fault
 * 1 of docs/upstream.md). That happens where a fiber became due while another ran. Sending a packet sets the timer anew, so
 * each fiber sends one before it sleeps, without exception: in the next round of the main loop it is too late.
 * The runtime lets a program send some packets at once and then one every 20 ms; whoever sends more has to sleep first, and that
 * sleep has no packet before it. So this module keeps the same account and never lets it get that far.
 *
 * Starts when it is imported; nobody else writes or reads its state.
 */

/** The runtime's account of packets (`throttle_send_pkt`): one costs so much time, and so much may be owed. */
const packetMs = 20
const maxOwedMs = 100
/** Some are kept for `sleep`: others wait until there are so many, for so long at a time. */
const reservedPackets = 3
const refillMs = 80
/** Half of the packets that may be sent meanwhile are left to others. */
const picoWYieldMs = 40
const yieldMs = 1
/** By this code the packet is found in its specification, services/announcement.md. */
const noopSpec = 0x0080
const controlService = 0

type Runtime = typeof ds & {
    _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void>
}

let noop: ds.Packet
/** `millis()` at which all packets that were sent are paid for. */
let paidMs = 0

/** Sleeps for `ms`, at least one millisecond, in which the main loop has its turn. */
export async function sleep(ms: number): Promise<void> {
    await beforeSleep()
    await ds.sleep(Math.max(1, ms))
}

/** Ends a slice of long work. */
export async function yieldToMainLoop(): Promise<void> {
    await sleep(isPicoW ? picoWYieldMs : yieldMs)
}

/** To be called before a fiber suspends itself in any other way. Other fibers may run meanwhile. */
export async function beforeSleep(): Promise<void> {
    if (!isPicoW) return
    // Awake, for to sleep without a packet is what must not happen; other fibers have their turn.
    while (packetsLeft() === 0) await ds.sleep(0)
    paidMs += packetMs
    if (!noop) noop = ds.Announcement.spec.byCode(noopSpec).encode([])
    await (ds as Runtime)._serverSend(controlService, noop)
}

/** To be called before any packet is sent, or a command of a role: the runtime would make the fiber sleep. */
export async function beforePacket(): Promise<void> {
    if (!isPicoW) return
    while (packetsLeft() < reservedPackets) await sleep(refillMs)
    paidMs += packetMs
}

/** How many packets may be sent now. */
function packetsLeft(): number {
    const now = ds.millis()
    paidMs = Math.max(paidMs, now - maxOwedMs)
    // What is paid for in this very millisecond counts as too early.
    return Math.idiv(now - paidMs - 1, packetMs)
}
