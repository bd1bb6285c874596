/*
 * The part of DNS messages (RFC 1035 §4.1) that a server for one name needs: a query with one question, optionally with
 * EDNS(0) (RFC 6891), and its response.
 */

/** RCODEs, RFC 1035 §4.1.1 and RFC 6891 §9. */
export const Rcode = { noError: 0, formErr: 1, notImp: 4, refused: 5, badVers: 16 } as const
/** TYPEs and QTYPEs, RFC 1035 §3.2.2 and §3.2.3, RFC 6891 §6.1.1. */
export const Type = { a: 1, opt: 41, any: 255 } as const
/** CLASS IN, RFC 1035 §3.2.4. */
const classIn = 1

const headerBytes = 12
const maxLabelBytes = 63
/** The maximum length of a name with its length bytes and the root, RFC 1035 §3.1. */
const maxNameBytes = 255
/** The maximum length of a query: a question and an OPT record with some options. */
const maxQueryBytes = 512
/** The UDP payload size that we announce. It crosses Ethernet without fragmentation, RFC 6891 §6.2.5. */
const ownUdpBytes = 1232

const qrBit = 0x8000
const aaBit = 0x0400
const rdBit = 0x0100
const opcodeShift = 11

/** A query for one name. */
export interface Query {
    id: number
    /** The RD bit (recursion desired), which the response repeats. */
    rd: boolean
    /** The name in lower case, without the final dot. */
    name: string
    type: number
    /** The bytes of the question, which the response repeats. */
    question: Uint8Array
    /** The EDNS version of the query, or undefined if it uses no EDNS. */
    edns: number | undefined
}

/** A query that is malformed or not supported. The server sends an error response with `rcode`. */
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
 * Parses a datagram. Returns undefined if it is not a query and must not be answered.
 * @throws QueryError if the response must be an error
 */
export function parseQuery(bytes: Uint8Array): Query | undefined {
    if (bytes.length < headerBytes || bytes.length > maxQueryBytes) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const id = view.getUint16(0)
    const flags = view.getUint16(2)
    // A server that answered responses could exchange messages with another one forever.
    if (flags & qrBit) return undefined
    const rd = (flags & rdBit) !== 0
    const fail = (message: string, rcode: number) => new QueryError(message, rcode, id, rd)
    if ((flags >> opcodeShift) & 15) throw fail("not a standard query", Rcode.notImp)
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map(at => view.getUint16(at))
    if (questions !== 1 || answers !== 0 || authorities !== 0 || additionals! > 1)
        throw fail("not exactly one question", Rcode.formErr)
    const name = readName(bytes, headerBytes)
    if (!name || name.end + 4 > bytes.length) throw fail("malformed question", Rcode.formErr)
    const type = view.getUint16(name.end)
    if (view.getUint16(name.end + 2) !== classIn) throw fail("the class is not IN", Rcode.refused)
    const end = name.end + 4
    const edns = additionals ? readOpt(bytes.subarray(end)) : undefined
    if (additionals ? edns === undefined : end !== bytes.length) throw fail("malformed query", Rcode.formErr)
    return { id, rd, name: name.text, type, question: bytes.slice(headerBytes, end), edns }
}

/**
 * Reads the labels at `start`, RFC 1035 §3.1. Compression (§4.1.4) counts as malformed, because a query does not need
 * it.
 */
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
        labels.push(label.replaceAll(".", "\\.")) // a dot inside a label is escaped, RFC 1035 §5.1
        at += length
    }
    return { text: lowerCase(labels.join(".")), end: at }
}

/** Converts ASCII letters to lower case. Other characters have no case, RFC 4343. */
function lowerCase(text: string): string {
    return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

/** Returns the EDNS version of an OPT record, RFC 6891 §6.1.2; undefined unless `rest` is exactly one OPT record. */
function readOpt(rest: Uint8Array): number | undefined {
    if (rest.length < 11 || rest[0] !== 0) return undefined
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength)
    if (view.getUint16(1) !== Type.opt || 11 + view.getUint16(9) !== rest.length) return undefined
    return rest[6]
}

/**
 * Encodes the response to a query.
 * @param address the IPv4 address of the answer, an A record with TTL 0; without it there is no answer record
 */
export function response(query: Query, rcode: number, address?: string): Uint8Array {
    const { id, rd, question, edns } = query
    const answer = address === undefined ? [] : [addressRecord(address)]
    const opt = edns === undefined ? [] : [optRecord(rcode)]
    const isOwn = rcode === Rcode.noError
    const flags = (isOwn ? aaBit : 0) | (rd ? rdBit : 0) | (rcode & 15)
    return Buffer.concat([header(id, flags, 1, answer.length, opt.length), question, ...answer, ...opt])
}

/** Encodes an error response. It has only the header, because the rest of the query is unreliable. */
export function errorResponse({ id, rd, rcode }: QueryError): Uint8Array {
    return header(id, (rd ? rdBit : 0) | rcode, 0, 0, 0)
}

function header(id: number, flags: number, questions: number, answers: number, additionals: number): Uint8Array {
    const bytes = Buffer.alloc(headerBytes)
    ;[id, qrBit | flags, questions, answers, 0, additionals].forEach((value, i) => bytes.writeUInt16BE(value, 2 * i))
    return bytes
}

/** Encodes an A record with TTL 0. Its name is a pointer to the question (RFC 1035 §4.1.4). */
function addressRecord(address: string): Uint8Array {
    const record = Buffer.alloc(16)
    record.writeUInt16BE(0xc000 | headerBytes, 0)
    record.writeUInt16BE(Type.a, 2)
    record.writeUInt16BE(classIn, 4)
    record.writeUInt16BE(4, 10)
    record.set(address.split(".").map(Number), 12)
    return record
}

/** Encodes an OPT record: the upper bits of the RCODE, version 0, no flags, no options. RFC 6891 §6.1.2 and §6.1.3. */
function optRecord(rcode: number): Uint8Array {
    const record = Buffer.alloc(11)
    record.writeUInt16BE(Type.opt, 1)
    record.writeUInt16BE(ownUdpBytes, 3)
    record[5] = rcode >> 4
    return record
}
