import { blockBytes, blockOption, readBlockOption } from "./block.ts"
import { NoResponseError, type CoapConnection, type RequestParts } from "./connection.ts"
import { Code, codeClass, type CoapMessage, type CoapOption } from "./message.ts"
import { CoapFormatError, OptionNumber } from "./options.ts"

/** A server that can be asked, over any transport. */
export type CoapPeer = Pick<CoapConnection, "request" | "observe" | "maxMessageBytes">

/** What may be assembled of one response. */
export const maxWholeBytes = 64 * 1024
const szx1024 = 6
/** For header, token and options beside the payload. */
const overheadBytes = 256
const blockOptions: number[] = [OptionNumber.Block1, OptionNumber.Block2]

/**
 * Sends a request in as many blocks as the server takes, and assembles its response (RFC 7959). The Block2 option that is left is
 * that of the last block. A request that has a Block option goes as it is. A 4.01 with an Echo option is answered with it, once
 * (RFC 9175 §2.3). Rejects with NoResponseError, and with CoapFormatError for blocks that do not belong together.
 */
export async function requestWhole(peer: CoapPeer, code: number, parts: RequestParts): Promise<CoapMessage> {
    const options = parts.options ?? []
    const payload = parts.payload ?? new Uint8Array(0)
    const ask = (more: CoapOption[], part: Uint8Array) => askFresh(peer, code, [...options, ...more], part)
    if (options.some(({ number }) => blockOptions.includes(number))) return await ask([], payload)
    const first =
        payload.length + overheadBytes <= peer.maxMessageBytes ? await ask([], payload) : await upload(ask, payload)
    return await rest(first, block2 => ask([block2], new Uint8Array(0)))
}

/** Reads the rest of what a server has sent the first block of, such as a notification. Rejects as `requestWhole`. */
export async function completed(peer: CoapPeer, options: CoapOption[], first: CoapMessage): Promise<CoapMessage> {
    return await rest(first, block2 => askFresh(peer, Code.GET, [...options, block2], new Uint8Array(0)))
}

async function askFresh(
    peer: CoapPeer,
    code: number,
    options: CoapOption[],
    payload: Uint8Array,
): Promise<CoapMessage> {
    const response = await peer.request(code, { options: sorted(options), payload })
    const echo = response.options.find(({ number }) => number === OptionNumber.Echo)
    if (response.code !== Code.Unauthorized || !echo) return response
    return await peer.request(code, { options: sorted([...options, echo]), payload })
}

type Ask = (more: CoapOption[], part: Uint8Array) => Promise<CoapMessage>

/** Sends a payload in blocks, RFC 7959 §2.5. Returns the last response, or the first that is not 2.31. */
async function upload(ask: Ask, payload: Uint8Array): Promise<CoapMessage> {
    let szx = szx1024
    for (let at = 0; ;) {
        const size = blockBytes(szx)
        const part = payload.subarray(at, at + size)
        const more = at + part.length < payload.length
        const response = await ask([blockOption(OptionNumber.Block1, { num: at / size, more, szx })], part)
        if (!more || response.code !== Code.Continue) return response
        at += part.length
        const wanted = readBlockOption(response.options, OptionNumber.Block1)?.szx ?? szx
        szx = Math.min(szx, wanted)
    }
}

/** Reads the blocks after the first one, RFC 7959 §2.4. */
async function rest(first: CoapMessage, ask: (block2: CoapOption) => Promise<CoapMessage>): Promise<CoapMessage> {
    let whole = first
    for (;;) {
        const block = readBlockOption(whole.options, OptionNumber.Block2)
        if (!block?.more || codeClass(whole.code) !== 2) return whole
        const unit = blockBytes(block.szx)
        if (whole.payload.length === 0 || whole.payload.length % unit !== 0)
            throw new CoapFormatError("a block is not as long as its option says")
        if (whole.payload.length >= maxWholeBytes) throw new NoResponseError("tooLarge", "the response is too long")
        const num = whole.payload.length / unit
        const next = await ask(blockOption(OptionNumber.Block2, { num, more: false, szx: block.szx }))
        if (codeClass(next.code) !== 2) return next
        const got = readBlockOption(next.options, OptionNumber.Block2)
        if (!got || got.num * blockBytes(got.szx) !== whole.payload.length)
            throw new CoapFormatError("another block than the one asked for")
        if (hex(eTagOf(next)) !== hex(eTagOf(first)))
            throw new CoapFormatError("the resource has changed while it was read")
        if (got.more && next.payload.length === 0) throw new CoapFormatError("an empty block with more to follow")
        const options = [
            ...first.options.filter(({ number }) => number !== OptionNumber.Block2),
            ...next.options.filter(({ number }) => number === OptionNumber.Block2),
        ]
        whole = { ...first, options: sorted(options), payload: Buffer.concat([whole.payload, next.payload]) }
    }
}

function eTagOf({ options }: CoapMessage): Uint8Array {
    return options.find(({ number }) => number === OptionNumber.ETag)?.value ?? new Uint8Array(0)
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("hex")
}

function sorted(options: CoapOption[]): CoapOption[] {
    return [...options].sort((a, b) => a.number - b.number)
}
