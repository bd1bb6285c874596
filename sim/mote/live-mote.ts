import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { realClock } from "../../host/clock.ts"
import type { Body } from "../body/index.ts"
import { wearableChips, type WearableOptions } from "../devices/chips.ts"
import { fileFlash } from "./file-flash.ts"
import { hostNetwork } from "./host-network.ts"
import { Mote } from "./mote.ts"

export interface LiveMoteOptions extends WearableOptions {
    image: Uint8Array
    body: Body
    /** In hexadecimal, as in `.env.local` of a board. */
    kid: string
    secret: string
    /** `coap+tcp://host:port` */
    router: string
    /** Folder for its flash. */
    data: string
    log?: (line: string) => void
    vmLog?: (line: string) => void
    panic?: (code: number) => void
    failed?: (error: Error) => void
    frame?: (frame: Uint8Array) => void
}

/** Starts a simulated wearable in real time, on this machine's network, in place of a board on a wrist. */
export function startLiveMote(o: LiveMoteOptions): Promise<Mote> {
    const { kid, secret, router, thermometer, accelerometer, faults, ...rest } = o
    return Mote.start({
        ...rest,
        clock: realClock,
        random: randomBytes,
        flash: fileFlash(join(o.data, `${kid}.flash`)),
        deviceId: kid,
        settings: { kid, secret, router },
        chips: wearableChips(realClock, o.body, 1, { thermometer, accelerometer, faults }),
        connect: hostNetwork,
    })
}
