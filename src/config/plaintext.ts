import { cborAt, endCbor, failCbor, isCborOk, readCbor, readMap, readScalar } from "../link/cbor"
import { Config, PowerMode } from "./config"
import { isReachable, parseEndpoint } from "../link/endpoint"

/*
 * What is inside a configuration or a command: a CBOR map in deterministic encoding. The ranges are those of wire/config.ts.
 */

/** Key and value of a setting have to fit into a packet to the VM's settings service, with the mark before them. */
export const maxPlaintextBytes = 208
const maxNameChars = 16
const maxRouterBytes = 64
/** 2^32 - 1: stored as u32. */
const maxVersion = 4294967295

/**
 * Takes over what a map says about the fields of `into`; a key that is no field of it is refused, and so is a value of
 * another type than that field has.
 * @returns why the map is refused; then `version` is that of the map if it has any, and 0 otherwise
 */
export function parse(plaintext: Buffer, into: { version: number }): string | undefined {
    const fields = into as any
    readCbor(plaintext)
    let refusal: string
    let before = 0
    for (let pairs = readMap(); pairs > 0 && isCborOk; pairs--) {
        const at = cborAt
        const key = readScalar()
        if (typeof key !== "string") failCbor()
        else if (before > 0 && !isAfter(plaintext, before, at, cborAt)) failCbor()
        else {
            before = at
            const value = readScalar()
            if (typeof fields[key] === typeof value) fields[key] = value
            else refusal = (isName(key) ? key : "a setting") + ": unknown"
        }
    }
    const isOk = endCbor()
    const { version } = into
    if (!isOk || !(version >= 1 && version <= maxVersion && version === Math.floor(version))) {
        into.version = 0
        return "malformed"
    }
    return refusal
}

/** Only letters are repeated, so that what a mote says is always a text. */
function isName(key: string): boolean {
    if (key.length > maxNameChars) return false
    for (let i = 0; i < key.length; i++) {
        const letter = key.charCodeAt(i) | 0x20
        if (letter < 97 || letter > 122) return false
    }
    return true
}

/** Whether the key from `b` to `end` is greater than that at `a`, RFC 8949 §4.2.1; heads differ where lengths do. */
function isAfter(bytes: Buffer, a: number, b: number, end: number): boolean {
    for (; b < end; b++) {
        if (bytes[a] !== bytes[b]) return bytes[a] < bytes[b]
        a++
    }
    return false
}

/** Why a configuration as a whole may not apply; undefined where it may. */
export function check(c: Config): string | undefined {
    const { router } = c
    if (router.length > 0 && (router.byteLength > maxRouterBytes || !parseEndpoint(router)))
        return "router: no address of one"
    if (router.length > 0 && !isReachable(parseEndpoint(router))) return "router: this board needs a name, without TLS"
    return (
        outside("sample", c.sample, 2, 600) ||
        outside("report", c.report, 2, 600) ||
        outside("hrLow", c.hrLow, 20, 200) ||
        outside("hrHigh", c.hrHigh, 30, 250) ||
        beyond("tempLow", c.tempLow, 25, 42) ||
        beyond("tempHigh", c.tempHigh, 30, 45) ||
        outside("spo2Low", c.spo2Low, 70, 99) ||
        outside("delay", c.delay, 0, 600) ||
        outside("quality", c.quality, 0, 90) ||
        outside("led", c.led, 1, 50) ||
        outside("power", c.power, PowerMode.continuous, PowerMode.standby) ||
        outside("every", c.every, 60, 3600) ||
        outside("trial", c.trial, 30, 3600) ||
        (c.report < c.sample ? "report: below sample" : undefined) ||
        (c.hrLow >= c.hrHigh ? "hrLow: not below hrHigh" : undefined) ||
        (c.tempLow >= c.tempHigh ? "tempLow: not below tempHigh" : undefined)
    )
}

function outside(name: string, value: number, min: number, max: number): string | undefined {
    return beyond(name, value === Math.floor(value) ? value : -1, min, max)
}

function beyond(name: string, value: number, min: number, max: number): string | undefined {
    return value >= min && value <= max ? undefined : `${name}: ${min}…${max}`
}
