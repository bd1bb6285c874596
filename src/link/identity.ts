import { readSetting, writeBytes } from "../platform/flash"
import { Endpoint, isReachable, parseEndpoint } from "./endpoint"
import { deriveKeys, MoteKeys } from "./seal"

const kidDigits = 16
const secretDigits = 64
/** It has three bytes in a nonce. */
const maxBoot = 0xffffff

/** The identity of this mote and the router that it reports to. */
export interface Identity {
    /** The kid as 16 lower-case hex digits. */
    eui: string
    keys: MoteKeys
    router: Endpoint
}

/** Reads `kid`, `secret` and `router` from the settings. Undefined, with a log line, if one is missing or invalid. */
export async function readIdentity(): Promise<Identity | undefined> {
    const kid = await readSetting("kid")
    const secret = await readSetting("secret")
    const router = parseEndpoint(await readSetting("router"))
    if (!isHex(kid, kidDigits)) console.log("setting kid: 16 hex digits are needed")
    else if (!isHex(secret, secretDigits)) console.log("setting secret: 64 hex digits are needed")
    else if (!router) console.log("setting router: coap+tcp://host:port or mqtt://host:port is needed")
    else if (!isReachable(router)) console.log("setting router: a name is needed, and no TLS")
    else {
        const keys = await deriveKeys(Buffer.from(secret, "hex"), Buffer.from(kid, "hex"))
        return { eui: kid.toLowerCase(), keys, router }
    }
    return undefined
}

/**
 * Counts this start in flash. Undefined if the flash did not store it, or all numbers have been used; then nothing may
 * be sent, because a nonce could be reused.
 */
export async function countBoot(): Promise<number | undefined> {
    const last = await readSetting("boot", 0)
    const boot = last + 1
    if (!(boot >= 1 && boot <= maxBoot && boot === Math.floor(boot))) return undefined
    return (await writeBytes("boot", Buffer.from(boot + ""))) ? boot : undefined
}

function isHex(text: any, digits: number): boolean {
    if (typeof text !== "string" || text.length !== digits) return false
    for (let i = 0; i < digits; i++) if ("0123456789abcdefABCDEF".indexOf(text.charAt(i)) < 0) return false
    return true
}
