import * as ds from "@devicescript/core"
import { sleep } from "./sleep"

/*
 * The board's light. Starts when it is imported; the uplink says what to show. The command goes to the mote's own Control service;
 * the client of DeviceScript's runtime for that service takes 1 KB of the image.
 */

/** Code of the command in its specification, services/announcement.md. */
const statusLightSpec = 0x0084
const controlService = 0

type Runtime = typeof ds & { _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void> }

let isBlinking = false

/** Blinks, unless it does so already. @param color 0xRRGGBB; a light of one colour is on */
export async function blink(color: number, times: number, ms: number): Promise<void> {
    if (isBlinking) return
    isBlinking = true
    for (let i = 0; i < times; i++) {
        await show(color)
        await sleep(ms)
        await show(0)
        await sleep(ms)
    }
    isBlinking = false
}

async function show(color: number): Promise<void> {
    const levels = [color >> 16, (color >> 8) & 0xff, color & 0xff, 0]
    await (ds as Runtime)._serverSend(controlService, ds.Announcement.spec.byCode(statusLightSpec).encode(levels))
}
