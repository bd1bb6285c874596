import { equalBytes, PacketError, Reader, Writer } from "../bytes.ts"
import type { Ipv6Address } from "../ipv6.ts"

/* RPL control messages (RFC 6550 §6): encoding and decoding of the bodies of ICMPv6 messages of type 155. */

/** Message codes (§6). */
export const RplCode = { dis: 0, dio: 1, dao: 2, daoAck: 3 } as const

const OptionType = { pad1: 0, padN: 1, configuration: 4, target: 5, transit: 6, prefix: 8 } as const

/** DODAG Configuration option (§6.7.6). */
export interface DodagConfiguration {
    /** Imin is 2^intervalMin ms. */
    intervalMin: number
    intervalDoublings: number
    redundancy: number
    maxRankIncrease: number
    minHopRankIncrease: number
    /** Objective code point: 0 is OF0, 1 is MRHOF. */
    objective: number
    defaultLifetime: number
    lifetimeUnitS: number
}

/** Prefix Information option (§6.7.10). */
export interface PrefixInformation {
    length: number
    /** 0x80 on link, 0x40 autonomous address configuration, 0x20 router address. */
    flags: number
    validS: number
    preferredS: number
    prefix: Ipv6Address
}

/** DODAG Information Object (§6.3). */
export interface Dio {
    instance: number
    version: number
    rank: number
    grounded: boolean
    /** Mode of operation: 1 non-storing, 2 storing. */
    mode: number
    preference: number
    dtsn: number
    dodag: Ipv6Address
    configuration?: DodagConfiguration
    prefix?: PrefixInformation
}

/** A target and its route: an RPL Target option with the Transit Information that follows (§6.7.7, §6.7.8). */
export interface DaoTarget {
    /** In bits. */
    length: number
    address: Ipv6Address
    lifetime: number
    pathSequence: number
    pathControl: number
    /** In non-storing mode. */
    parent?: Ipv6Address
}

/** Destination Advertisement Object (§6.4). */
export interface Dao {
    instance: number
    ackRequested: boolean
    sequence: number
    /** Present if the instance is local. */
    dodag?: Ipv6Address
    targets: DaoTarget[]
}

/** DAO-ACK (§6.5); a status below 128 is an acceptance. */
export interface DaoAck {
    instance: number
    sequence: number
    status: number
    dodag?: Ipv6Address
}

const dodagPresent = 0x40
const ackRequested = 0x80

/** DODAG Information Solicitation without options (§6.2). */
export function encodeDis(): Uint8Array {
    return new Uint8Array(2)
}

export function encodeDio(dio: Dio): Uint8Array {
    const writer = new Writer(96)
    writer.u8(dio.instance).u8(dio.version).u16(dio.rank)
    writer.u8((dio.grounded ? 0x80 : 0) | (dio.mode << 3) | dio.preference)
    writer.u8(dio.dtsn).u16(0).put(dio.dodag)
    const { configuration: c, prefix: p } = dio
    if (c) {
        writer.u8(OptionType.configuration).u8(14).u8(0)
        writer.u8(c.intervalDoublings).u8(c.intervalMin).u8(c.redundancy)
        writer.u16(c.maxRankIncrease).u16(c.minHopRankIncrease).u16(c.objective)
        writer.u8(0).u8(c.defaultLifetime).u16(c.lifetimeUnitS)
    }
    if (p) {
        writer.u8(OptionType.prefix).u8(30).u8(p.length).u8(p.flags)
        writer.u32(p.validS).u32(p.preferredS).u32(0).put(p.prefix)
    }
    return writer.done()
}

/** @throws PacketError */
export function decodeDio(body: Uint8Array): Dio {
    const reader = new Reader(body)
    const instance = reader.u8()
    const version = reader.u8()
    const rank = reader.u16()
    const form = reader.u8()
    const dtsn = reader.u8()
    reader.u16()
    const dodag = reader.take(16)
    const dio: Dio = {
        instance,
        version,
        rank,
        grounded: (form & 0x80) !== 0,
        mode: (form >> 3) & 7,
        preference: form & 7,
        dtsn,
        dodag,
    }
    eachOption(reader, (type, option) => {
        if (type === OptionType.configuration) dio.configuration = readConfiguration(option)
        else if (type === OptionType.prefix) dio.prefix = readPrefix(option)
    })
    return dio
}

function readConfiguration(option: Reader): DodagConfiguration {
    option.u8()
    const intervalDoublings = option.u8()
    const intervalMin = option.u8()
    const redundancy = option.u8()
    const maxRankIncrease = option.u16()
    const minHopRankIncrease = option.u16()
    const objective = option.u16()
    option.u8()
    const defaultLifetime = option.u8()
    const lifetimeUnitS = option.u16()
    if (minHopRankIncrease === 0) throw new PacketError("MinHopRankIncrease of 0")
    return {
        intervalMin,
        intervalDoublings,
        redundancy,
        maxRankIncrease,
        minHopRankIncrease,
        objective,
        defaultLifetime,
        lifetimeUnitS,
    }
}

function readPrefix(option: Reader): PrefixInformation {
    const length = option.u8()
    const flags = option.u8()
    const validS = option.u32()
    const preferredS = option.u32()
    option.u32()
    return { length, flags, validS, preferredS, prefix: option.take(16) }
}

export function encodeDao(dao: Dao): Uint8Array {
    const writer = new Writer(96)
    const flags = (dao.ackRequested ? ackRequested : 0) | (dao.dodag ? dodagPresent : 0)
    writer.u8(dao.instance).u8(flags).u8(0).u8(dao.sequence)
    if (dao.dodag) writer.put(dao.dodag)
    dao.targets.forEach((target, i) => {
        const size = Math.ceil(target.length / 8)
        writer
            .u8(OptionType.target)
            .u8(2 + size)
            .u8(0)
            .u8(target.length)
        writer.put(target.address.subarray(0, size))
        const next = dao.targets[i + 1]
        if (next && isSameTransit(target, next)) return // one transit option for both
        writer
            .u8(OptionType.transit)
            .u8(target.parent ? 20 : 4)
            .u8(0)
        writer.u8(target.pathControl).u8(target.pathSequence).u8(target.lifetime)
        if (target.parent) writer.put(target.parent)
    })
    return writer.done()
}

function isSameTransit(a: DaoTarget, b: DaoTarget): boolean {
    if (a.lifetime !== b.lifetime || a.pathSequence !== b.pathSequence) return false
    if (a.pathControl !== b.pathControl) return false
    return a.parent && b.parent ? equalBytes(a.parent, b.parent) : a.parent === b.parent
}

/** @throws PacketError */
export function decodeDao(body: Uint8Array): Dao {
    const reader = new Reader(body)
    const instance = reader.u8()
    const flags = reader.u8()
    reader.u8()
    const sequence = reader.u8()
    const dao: Dao = {
        instance,
        ackRequested: (flags & ackRequested) !== 0,
        sequence,
        targets: [],
    }
    if (flags & dodagPresent) dao.dodag = reader.take(16)
    // Targets come first, then the transit option that applies to all of them (§6.7.8).
    let waiting: DaoTarget[] = []
    eachOption(reader, (type, option) => {
        if (type === OptionType.target) {
            const target = readTarget(option)
            if (waiting.at(-1)?.lifetime) waiting = []
            waiting.push(target)
            dao.targets.push(target)
        } else if (type === OptionType.transit) {
            option.u8()
            const pathControl = option.u8()
            const pathSequence = option.u8()
            const lifetime = option.u8()
            const parent = option.left ? option.take(16) : undefined
            for (const target of waiting) {
                Object.assign(target, { pathControl, pathSequence, lifetime })
                if (parent) target.parent = parent
            }
            waiting = []
        }
    })
    return dao
}

function readTarget(option: Reader): DaoTarget {
    option.u8()
    const length = option.u8()
    if (length > 128) throw new PacketError("prefix of more than 128 bits")
    const address = new Uint8Array(16)
    address.set(option.take(Math.ceil(length / 8)))
    return { length, address, lifetime: 0, pathSequence: 0, pathControl: 0 }
}

export function encodeDaoAck(ack: DaoAck): Uint8Array {
    const writer = new Writer(20)
    writer
        .u8(ack.instance)
        .u8(ack.dodag ? 0x80 : 0)
        .u8(ack.sequence)
        .u8(ack.status)
    if (ack.dodag) writer.put(ack.dodag)
    return writer.done()
}

/** @throws PacketError */
export function decodeDaoAck(body: Uint8Array): DaoAck {
    const reader = new Reader(body)
    const instance = reader.u8()
    const flags = reader.u8()
    const ack: DaoAck = { instance, sequence: reader.u8(), status: reader.u8() }
    if (flags & 0x80) ack.dodag = reader.take(16)
    return ack
}

/** Calls `use` with each option except padding; unknown ones are skipped (§6.7.1). */
function eachOption(reader: Reader, use: (type: number, option: Reader) => void): void {
    while (reader.left) {
        const type = reader.u8()
        if (type === OptionType.pad1) continue
        const option = new Reader(reader.take(reader.u8()))
        if (type !== OptionType.padN) use(type, option)
    }
}
