import { cborAt, endCbor, failCbor, isCborOk, readCbor, readMap, readScalar } from "../link/cbor"
import { Config, PowerMode, Setting } from "./config"
import { isReachable, parseEndpoint } from "../link/endpoint"
import { makeRefusal, RefusalCode } from "../link/refusal"

/*
 * Content of a configuration or command: a CBOR map in deterministic encoding. The ranges are those of
 * wire/tables/settings.ts.
 */

/** Key and value of a setting must fit into a packet to the VM's settings service, with the mark in front. */
export const maxPlaintextBytes = 208
const maxRouterBytes = 64
/** 2^32 − 1, because it is stored as u32. */
const maxVersion = 4294967295

/**
 * Reads a map into the fields of `into`. A key that is not a field of it is refused, and so is a value of another type.
 * @returns the refusal of the map; `version` is then that of the map, or 0 if it has none
 */
export function parse(plaintext: Buffer, into: { version: number }): Buffer | undefined {
    const fields = into as any
    readCbor(plaintext)
    let unknown = -1
    let before = 0
    const pairs = readMap()
    for (let pair = 0; pair < pairs && isCborOk; pair++) {
        const at = cborAt
        const key = readScalar()
        if (typeof key !== "string") failCbor()
        else if (before > 0 && !isAfter(plaintext, before, at, cborAt)) failCbor()
        else {
            before = at
            const value = readScalar()
            if (typeof fields[key] === typeof value) fields[key] = value
            else unknown = pair
        }
    }
    const isOk = endCbor()
    const { version } = into
    if (!isOk || !(version >= 1 && version <= maxVersion && version === Math.floor(version))) {
        into.version = 0
        return makeRefusal(RefusalCode.malformed)
    }
    return unknown < 0 ? undefined : makeRefusal(RefusalCode.unknownSetting, [unknown])
}

/**
 * Whether the key from `b` to `end` is greater than the key at `a` (RFC 8949 §4.2.1); keys of different length differ
 * in their heads.
 */
function isAfter(bytes: Buffer, a: number, b: number, end: number): boolean {
    for (; b < end; b++) {
        if (bytes[a] !== bytes[b]) return bytes[a] < bytes[b]
        a++
    }
    return false
}

/** The refusal of a configuration as a whole. Undefined if it is valid. */
export function check(c: Config): Buffer | undefined {
    const { router } = c
    if (router.length > 0 && (router.byteLength > maxRouterBytes || !parseEndpoint(router)))
        return makeRefusal(RefusalCode.notARouter)
    if (router.length > 0 && !isReachable(parseEndpoint(router))) return makeRefusal(RefusalCode.unreachable)
    return (
        outside(Setting.sample, c.sample, 2, 600) ||
        outside(Setting.report, c.report, 2, 600) ||
        outside(Setting.hrLow, c.hrLow, 20, 200) ||
        outside(Setting.hrHigh, c.hrHigh, 30, 250) ||
        beyond(Setting.tempLow, c.tempLow, 25, 42) ||
        beyond(Setting.tempHigh, c.tempHigh, 30, 45) ||
        outside(Setting.spo2Low, c.spo2Low, 70, 99) ||
        outside(Setting.delay, c.delay, 0, 600) ||
        outside(Setting.quality, c.quality, 0, 90) ||
        outside(Setting.led, c.led, 1, 50) ||
        outside(Setting.power, c.power, PowerMode.continuous, PowerMode.standby) ||
        outside(Setting.every, c.every, 60, 3600) ||
        outside(Setting.trial, c.trial, 30, 3600) ||
        apart(Setting.report, Setting.sample, c.report >= c.sample) ||
        apart(Setting.hrLow, Setting.hrHigh, c.hrLow < c.hrHigh) ||
        apart(Setting.tempLow, Setting.tempHigh, c.tempLow < c.tempHigh)
    )
}

function outside(setting: Setting, value: number, min: number, max: number): Buffer | undefined {
    return beyond(setting, value === Math.floor(value) ? value : -1, min, max)
}

function beyond(setting: Setting, value: number, min: number, max: number): Buffer | undefined {
    return value >= min && value <= max ? undefined : makeRefusal(RefusalCode.outOfRange, [setting, min, max])
}

function apart(setting: Setting, other: Setting, fits: boolean): Buffer | undefined {
    return fits ? undefined : makeRefusal(RefusalCode.conflict, [setting, other])
}
