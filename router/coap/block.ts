import { createHash } from "node:crypto"
import { codeClass, Code, message, type CoapMessage, type CoapOption } from "./message.ts"
import { CoapFormatError, encodeOptionsAndPayload, OptionNumber, uintOption, uintValue } from "./options.ts"
import type { Requester, Server } from "./requester.ts"

/*
 * Block-wise transfer, RFC 7959, and BERT on reliable transports, RFC 8323 §6. The server keeps nothing between the blocks
 * of an answer: each is cut out of the representation as it is by then, and an ETag tells the client when it changed.
 */

/** Value of a Block1 or Block2 option, RFC 7959 §2.2. */
export interface Block {
    /** The block's number, in units of `blockBytes(szx)`. */
    num: number
    more: boolean
    /** Size exponent; 7 is BERT: several blocks of 1024 bytes in one message. */
    szx: number
}

const maxSzx = 6
const bert = 7
const maxBlockValueBytes = 3
/** RFC 8323 §5.3.2: an endpoint that takes more than this, and knows block-wise transfer, knows BERT. */
const maxWithoutBert = 1152
/** Longest header (RFC 8323 §3.2), token, the payload marker and the options that are added here. */
const overheadBytes = 6 + 8 + 1 + 4 + 9
const eTagBytes = 8

/** What may come in blocks; the largest envelope and its options fit. */
export const maxBodyBytes = 8192

export function blockBytes(szx: number): number {
    return 2 ** (Math.min(szx, maxSzx) + 4)
}

/** The Block1 or Block2 option among these; undefined where there is none. Throws CoapFormatError. */
export function blockIn(options: CoapOption[], number: number): Block | undefined {
    const option = options.find(o => o.number === number)
    if (!option) return undefined
    if (option.value.length > maxBlockValueBytes) throw new CoapFormatError("Block option too long")
    const value = uintValue(options, number)!
    return { num: Math.floor(value / 16), more: (value & 8) !== 0, szx: value & 7 }
}

export function blockOption(number: number, { num, more, szx }: Block): CoapOption {
    return uintOption(number, num * 16 + (more ? 8 : 0) + szx)
}

/** A `Server` that takes requests in blocks and gives its answers in blocks, where they are asked for or needed. */
export function blockwise(serve: Server): Server {
    /** One upload a requester. */
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

/** The Block2 option of a request whose notifications are to be cut as its first answer was. */
export function block2Of(request: CoapMessage): Block | undefined {
    return blockIn(request.options, OptionNumber.Block2)
}

/**
 * The part of a response that was asked for, or its first part where all of it is more than the requester takes. A response
 * that is no success stays whole.
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
    /** What has to be the same in all blocks of one request. */
    key: string
    body: Uint8Array
}

type Collected = { isDone: true; request: CoapMessage } | { isDone: false; response: CoapMessage }

/** RFC 7959 §2.5: blocks come in order, each starts where the last one ended. */
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
        return refused(Code.RequestEntityIncomplete, "the blocks before it are missing")
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
    const block = blockIn(options, number)
    if (block?.szx === bert && requester.maxMessageBytes <= maxWithoutBert)
        throw new CoapFormatError("reserved block size")
    return block
}

/** The largest size up to the one asked for that leaves the message small enough. */
function blockSize(asked: number, room: number): { szx: number; bytes: number } {
    const unit = blockBytes(asked)
    if (asked === bert && room >= 2 * unit) return { szx: bert, bytes: Math.floor(room / unit) * unit }
    let szx = Math.min(asked, maxSzx)
    while (szx > 0 && blockBytes(szx) > room) szx--
    return { szx, bytes: blockBytes(szx) }
}

/** Method and options, without those that change from block to block. */
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
