/*
 * DNS messages (RFC 1035 §4.1) as far as it takes to answer for one name: a query with one question, perhaps with EDNS(0)
 * (RFC 6891), and its response.
 */

/** RCODEs, RFC 1035 §4.1.1 and RFC 6891 §9. */
export const Rcode = { noError: 0, formErr: 1, notImp: 4, refused: 5, badVers: 16 } as const
/** TYPEs and QTYPEs, RFC 1035 §3.2.2 and §3.2.3, RFC 6891 §6.1.1. */
export const Type = { a: 1, opt: 41, any: 255 } as const
/** RFC 1035 §3.2.4 */
const classIn = 1

const headerBytes = 12
const maxLabelBytes = 63
/** RFC 1035 §3.1, the length bytes and the root included. */
const maxNameBytes = 255
/** What a query may have beside its question: OPT with some options. */
const maxQueryBytes = 512
/** RFC 6891 §6.2.5: what goes over Ethernet in one piece. */
const ownUdpBytes = 1232

const qrBit = 0x8000
const aaBit = 0x0400
const rdBit = 0x0100
const opcodeShift = 11

/** A query for one name. */
export interface Query {
    id: number
    /** Recursion is desired: the response repeats that. */
    rd: boolean
    /** In lower case, without the dot of the root. */
    name: string
    type: number
    /** The question as it came, for the response to repeat. */
    question: Uint8Array
    /** The version of EDNS that the query speaks; undefined where it speaks none. */
    edns: number | undefined
}

/** What came is a query, but none that can be answered. */
export class QueryError extends Error {
    readonly rcode: number
    readonly id: number
    readonly rd: boolean

    constructor(message: string, rcode: number, id: number, rd: boolean) {
        super(message)
        this.rcode = rcode
        this.id = id
        this.rd = rd
    }
}

/**
 * The query in a datagram; undefined where it is no query, and nobody is to be answered.
 * @throws QueryError where it is a query that has to be answered with an error
 */
export function parseQuery(bytes: Uint8Array): Query | undefined {
    if (bytes.length < headerBytes || bytes.length > maxQueryBytes) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const id = view.getUint16(0)
    const flags = view.getUint16(2)
    // A response is never answered, or two servers could go on for ever.
    if (flags & qrBit) return undefined
    const rd = (flags & rdBit) !== 0
    const fail = (message: string, rcode: number) => new QueryError(message, rcode, id, rd)
    if ((flags >> opcodeShift) & 15) throw fail("no standard query", Rcode.notImp)
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map(at => view.getUint16(at))
    if (questions !== 1 || answers !== 0 || authorities !== 0 || additionals! > 1)
        throw fail("one question is expected", Rcode.formErr)
    const name = readName(bytes, headerBytes)
    if (!name || name.end + 4 > bytes.length) throw fail("malformed question", Rcode.formErr)
    const type = view.getUint16(name.end)
    if (view.getUint16(name.end + 2) !== classIn) throw fail("another class than IN", Rcode.refused)
    const end = name.end + 4
    const edns = additionals ? readOpt(bytes.subarray(end)) : undefined
    if (additionals ? edns === undefined : end !== bytes.length) throw fail("malformed query", Rcode.formErr)
    return { id, rd, name: name.text, type, question: bytes.slice(headerBytes, end), edns }
}

/** Labels from `start` on, RFC 1035 §3.1; a query has no reason for compression (§4.1.4), so that is malformed. */
function readName(bytes: Uint8Array, start: number): { text: string; end: number } | undefined {
    const labels: string[] = []
    let at = start
    for (;;) {
        const length = bytes[at]
        if (length === undefined || length > maxLabelBytes) return undefined
        at++
        if (length === 0) break
        if (at + length > bytes.length || at + length - start >= maxNameBytes) return undefined
        const label = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("latin1")
        labels.push(label.replaceAll(".", "\\.")) // RFC 1035 §5.1: a dot in a label is not one between two
        at += length
    }
    return { text: lowerCase(labels.join(".")), end: at }
}

/** RFC 4343: only ASCII letters have a case. */
function lowerCase(text: string): string {
    return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

/** The version in an OPT record that is all that is left of the query; undefined where there is none, or more. RFC 6891 §6.1.2 */
function readOpt(rest: Uint8Array): number | undefined {
    if (rest.length < 11 || rest[0] !== 0) return undefined
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength)
    if (view.getUint16(1) !== Type.opt || 11 + view.getUint16(9) !== rest.length) return undefined
    return rest[6]
}

/**
 * A response to a query.
 * @param address IPv4, of a record with TTL 0 that is the answer
 */
export function response(query: Query, rcode: number, address?: string): Uint8Array {
    const { id, rd, question, edns } = query
    const answer = address === undefined ? [] : [addressRecord(address)]
    const opt = edns === undefined ? [] : [optRecord(rcode)]
    const isOwn = rcode === Rcode.noError
    const flags = (isOwn ? aaBit : 0) | (rd ? rdBit : 0) | (rcode & 15)
    return Buffer.concat([header(id, flags, 1, answer.length, opt.length), question, ...answer, ...opt])
}

/** A response to what is no proper query: only the header, for nothing in it can be relied upon. */
export function errorResponse({ id, rd, rcode }: QueryError): Uint8Array {
    return header(id, (rd ? rdBit : 0) | rcode, 0, 0, 0)
}

function header(id: number, flags: number, questions: number, answers: number, additionals: number): Uint8Array {
    const bytes = Buffer.alloc(headerBytes)
    ;[id, qrBit | flags, questions, answers, 0, additionals].forEach((value, i) => bytes.writeUInt16BE(value, 2 * i))
    return bytes
}

/** An A record of the name in the question, by a pointer to it (RFC 1035 §4.1.4), with TTL 0. */
function addressRecord(address: string): Uint8Array {
    const record = Buffer.alloc(16)
    record.writeUInt16BE(0xc000 | headerBytes, 0)
    record.writeUInt16BE(Type.a, 2)
    record.writeUInt16BE(classIn, 4)
    record.writeUInt16BE(4, 10)
    record.set(address.split(".").map(Number), 12)
    return record
}

/** RFC 6891 §6.1.2 and §6.1.3: the upper bits of the RCODE, version 0, no flags, no options. */
function optRecord(rcode: number): Uint8Array {
    const record = Buffer.alloc(11)
    record.writeUInt16BE(Type.opt, 1)
    record.writeUInt16BE(ownUdpBytes, 3)
    record[5] = rcode >> 4
    return record
}
