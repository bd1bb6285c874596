import { createHash } from "node:crypto"
import { codeClass, Code, message, type CoapMessage, type CoapOption } from "./message.ts"
import { CoapFormatError, encodeOptionsAndPayload, OptionNumber, uintOption, uintValue } from "./options.ts"
import type { Requester, Server } from "./requester.ts"

/*
 * Block-wise transfer, RFC 7959, and BERT on reliable transports, RFC 8323 §6. The server keeps no state between the
 * blocks of a response: it cuts each one out of the current representation, and the ETag shows the client when that has
 * changed.
 */

/** Value of a Block1 or Block2 option, RFC 7959 §2.2. */
export interface Block {
    /** The block's number, in units of `blockBytes(szx)`. */
    num: number
    more: boolean
    /** The size exponent. 7 means BERT: several blocks of 1024 bytes in one message. */
    szx: number
}

const maxSzx = 6
const bert = 7
const maxBlockValueBytes = 3
/** An endpoint with a larger Max-Message-Size that supports block-wise transfer also supports BERT, RFC 8323 §5.3.2. */
const maxWithoutBert = 1152
/** The longest header (RFC 8323 §3.2), token, payload marker, and the options that `slice` adds. */
const overheadBytes = 6 + 8 + 1 + 4 + 9
const eTagBytes = 8

/** The maximum size of a request body that arrives in blocks. The largest envelope fits. */
export const maxBodyBytes = 8192

export function blockBytes(szx: number): number {
    return 2 ** (Math.min(szx, maxSzx) + 4)
}

/** Returns the Block1 or Block2 option of a message, or undefined if it has none. Throws CoapFormatError. */
export function readBlockOption(options: CoapOption[], number: number): Block | undefined {
    const option = options.find(o => o.number === number)
    if (!option) return undefined
    if (option.value.length > maxBlockValueBytes) throw new CoapFormatError("Block option too long")
    const value = uintValue(options, number)!
    return { num: Math.floor(value / 16), more: (value & 8) !== 0, szx: value & 7 }
}

export function blockOption(number: number, { num, more, szx }: Block): CoapOption {
    return uintOption(number, num * 16 + (more ? 8 : 0) + szx)
}

/**
 * Adds block-wise transfer to a `Server`: request bodies in blocks, and responses in blocks if requested or necessary.
 */
export function blockwise(serve: Server): Server {
    /** One upload per requester. */
    const uploads = new WeakMap<Requester, Upload>()
    return async (request, requester) => {
        let block1: Block | undefined
        let block2: Block | undefined
        try {
            block1 = requestedBlock(request, OptionNumber.Block1, requester)
            block2 = requestedBlock(request, OptionNumber.Block2, requester)
        } catch (error) {
            if (!(error instanceof CoapFormatError)) throw error
            return failure(Code.BadRequest, error.message)
        }
        if (!block1) return slice(await serve(request, requester), block2, requester)
        const whole = collect(uploads, request, block1, requester)
        const response = whole.isDone ? await serve(whole.request, requester) : whole.response
        const answer = slice(response, block2, requester)
        const option = blockOption(OptionNumber.Block1, { ...block1, more: !whole.isDone })
        return { ...answer, options: [...answer.options, option] }
    }
}

/** Returns the Block2 option of a request. Notifications use the same block size as the first response. */
export function block2Of(request: CoapMessage): Block | undefined {
    return readBlockOption(request.options, OptionNumber.Block2)
}

/**
 * Returns the requested block of a response, or the first block if the response exceeds the requester's maximum message
 * size. Error responses are never divided.
 */
export function slice(response: CoapMessage, asked: Block | undefined, requester: Requester): CoapMessage {
    const { payload, options } = response
    if (codeClass(response.code) !== 2 || (payload.length === 0 && !asked)) return response
    const head = encodeOptionsAndPayload(options, new Uint8Array(0)).length + overheadBytes
    const room = requester.maxMessageBytes - head
    if (!asked && payload.length <= room) return response
    const { szx, bytes } = blockSize(asked?.szx ?? maxSzx, room)
    const from = asked ? asked.num * blockBytes(asked.szx) : 0
    if (from > 0 && from >= payload.length) return failure(Code.BadRequest, "no such block")
    const part = payload.subarray(from, from + bytes)
    const num = Math.floor(from / blockBytes(szx))
    const more = from + part.length < payload.length
    const eTag = options.some(({ number }) => number === OptionNumber.ETag)
        ? []
        : [{ number: OptionNumber.ETag, value: digest(payload) }]
    const block = blockOption(OptionNumber.Block2, { num, more, szx })
    return { ...response, options: [...options, ...eTag, block], payload: part }
}

interface Upload {
    /** Method and options, which must be the same in all blocks of a request. */
    key: string
    body: Uint8Array
}

type Collected = { isDone: true; request: CoapMessage } | { isDone: false; response: CoapMessage }

/** Collects the blocks of a request. They must arrive in order without gaps, RFC 7959 §2.5. */
function collect(
    uploads: WeakMap<Requester, Upload>,
    request: CoapMessage,
    block: Block,
    requester: Requester,
): Collected {
    const refused = (code: number, reason: string, options: CoapOption[] = []): Collected => {
        uploads.delete(requester)
        return { isDone: false, response: { ...failure(code, reason), options } }
    }
    const { payload } = request
    const key = keyOf(request)
    const before = block.num === 0 ? undefined : uploads.get(requester)
    const body = before?.body ?? new Uint8Array(0)
    if (block.num > 0 && before?.key !== key)
        return refused(Code.RequestEntityIncomplete, "the preceding blocks are missing")
    const unit = blockBytes(block.szx)
    if (block.num * unit !== body.length) return refused(Code.RequestEntityIncomplete, "a block is missing")
    const isWhole = block.szx === bert ? payload.length % unit === 0 : payload.length === unit
    if (block.more ? !isWhole || payload.length === 0 : block.szx !== bert && payload.length > unit)
        return refused(Code.BadRequest, "the payload is not as long as the block")
    if (body.length + payload.length > maxBodyBytes)
        return refused(Code.RequestEntityTooLarge, `at most ${maxBodyBytes} bytes`, [
            uintOption(OptionNumber.Size1, maxBodyBytes),
        ])
    const all = Buffer.concat([body, payload])
    if (block.more) {
        uploads.set(requester, { key, body: all })
        return { isDone: false, response: message(Code.Continue) }
    }
    uploads.delete(requester)
    return { isDone: true, request: { ...request, payload: all } }
}

function requestedBlock({ options }: CoapMessage, number: number, requester: Requester): Block | undefined {
    const block = readBlockOption(options, number)
    if (block?.szx === bert && requester.maxMessageBytes <= maxWithoutBert)
        throw new CoapFormatError("reserved block size")
    return block
}

/** Returns the largest size, up to the requested one, that fits into `room` bytes. */
function blockSize(asked: number, room: number): { szx: number; bytes: number } {
    const unit = blockBytes(asked)
    if (asked === bert && room >= 2 * unit) return { szx: bert, bytes: Math.floor(room / unit) * unit }
    let szx = Math.min(asked, maxSzx)
    while (szx > 0 && blockBytes(szx) > room) szx--
    return { szx, bytes: blockBytes(szx) }
}

/** Identifies a request by its method and options, without those that differ from block to block. */
function keyOf({ code, options }: CoapMessage): string {
    const changing: number[] = [OptionNumber.Block1, OptionNumber.Block2, OptionNumber.Size1, OptionNumber.Echo]
    const same = options.filter(({ number }) => !changing.includes(number))
    return `${code} ${Buffer.from(encodeOptionsAndPayload(same, new Uint8Array(0))).toString("hex")}`
}

function digest(payload: Uint8Array): Uint8Array {
    return createHash("sha256").update(payload).digest().subarray(0, eTagBytes)
}

function failure(code: number, reason: string): CoapMessage {
    return message(code, { payload: Buffer.from(reason) })
}
