import { content, uintOption } from "./content"
import { generation, isCoapOpen, peerMaxMessageBytes, sendCoap } from "./connection"
import { CoapMessage, OptionNumber } from "./message"
import { status } from "../link/status"

/*
 * Starts empty. `resources.ts` adds and removes observers; the uplink calls `notifyObservers` after each new envelope.
 */

/** A router shares one registration among all clients that observe the mote through it. */
const maxObservers = 2
/** Content-Format 17 and Max-Age 10 s, as the first options and after Observe. */
const vitalsOptions = hex`c1 11 21 0a`
const observedOptions = hex`61 11 21 0a`

/** Tokens of the observers; registrations end with the connection (RFC 8323 §7.4). */
let tokens: Buffer[] = []
let agreed = 0
/** Increases with each notification (RFC 7641 §3.4). */
let sequence = 0

/** Answers GET /vitals with the newest envelope; registers or deregisters an observer (RFC 7641 §4.1). */
export function vitals(request: CoapMessage): CoapMessage | undefined {
    if (agreed !== generation) tokens = []
    agreed = generation
    const wanted = request.uintOption(OptionNumber.observe)
    const block2 = request.uintOption(OptionNumber.block2)
    if (wanted !== undefined) {
        const token = request.token.toString("hex")
        tokens = tokens.filter(known => known.toString("hex") !== token)
    }
    if (!status.newest) return undefined
    const isObserver = wanted === 0 && tokens.length < maxObservers
    if (isObserver) tokens.push(request.token)
    return newest(isObserver, block2)
}

/** Notifies the observers of a new envelope. */
export async function notifyObservers(): Promise<void> {
    if (tokens.length === 0) return
    sequence = (sequence + 1) & 0xffffff
    for (let i = 0; i < tokens.length && status.newest; i++) {
        if (!isCoapOpen() || agreed !== generation) return
        const notification = newest(true, undefined)
        notification.token = tokens[i]
        await sendCoap(notification)
    }
}

function newest(isObserved: boolean, block2: number | undefined): CoapMessage {
    const options = isObserved
        ? Buffer.concat(uintOption(hex``, 0, OptionNumber.observe, sequence), observedOptions)
        : vitalsOptions
    return content(options, status.newest.bytes, block2, peerMaxMessageBytes)
}
