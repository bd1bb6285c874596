import { peerMaxMessageBytes } from "./connection"
import { content } from "./content"
import { Code, CoapMessage, OptionNumber } from "./message"
import { codeOf, RefusalCode } from "../link/refusal"
import { Take } from "../link/transport"
import { vitals } from "./observers"
import { configPack, statusPack } from "./packs"

/** Critical options that are supported in requests. */
const criticalOptions = [
    OptionNumber.uriHost,
    OptionNumber.uriPort,
    OptionNumber.uriPath,
    OptionNumber.uriQuery,
    OptionNumber.accept,
    OptionNumber.block2,
]

/** Content-Formats (RFC 9052 §11.3.6, RFC 6690 §7.1, RFC 8428 §12.2). */
const coseMac0 = 17
const linkFormat = 40
const senmlCbor = 112
/** Content-Format and Max-Age: one day, 5 s. */
const linkOptions = hex`c1 28 23 015180`
const packOptions = hex`c1 70 21 05`
/** Max-Age 10 s: by then there is an envelope. */
const laterOptions = hex`d1 01 0a`

/** Content-Format 257, application/concise-problem-details+cbor. */
const problemOptions = hex`c2 0101`
/** A map of one pair (RFC 9290 §3.2): urn:vitalmote:refusal, then the refusal. */
const problemStart = hex`a1 75 75726e3a766974616c6d6f74653a7265667573616c`

/** Maximum size of a configuration or command. */
const maxSealedBytes = 320

/** Link format (RFC 6690). */
const links =
    '</status>;rt="vitalmote.status";ct=112,</vitals>;rt="vitalmote.vitals";ct=17;obs,' +
    '</config>;rt="vitalmote.config";ct="17 112",</identify>;ct=17,</readings>;ct=17'

/** Answers a request of the peer (RFC 7252 §5.8); the caller sets the token. */
export async function serve(request: CoapMessage, take: Take): Promise<CoapMessage> {
    if (request.unknownCriticalOption(criticalOptions) !== undefined) return new CoapMessage(Code.badOption)
    const { code } = request
    switch (request.path()) {
        case ".well-known/core":
            if (code === Code.get) return show(request, linkFormat, linkOptions, Buffer.from(links))
            break
        case "status":
            if (code === Code.get) return show(request, senmlCbor, packOptions, statusPack())
            break
        case "vitals":
            if (code !== Code.get) break
            if (!accepts(request, coseMac0)) return new CoapMessage(Code.notAcceptable)
            return vitals(request) || new CoapMessage(Code.serviceUnavailable, undefined, laterOptions)
        case "config":
            if (code === Code.get) return show(request, senmlCbor, packOptions, await configPack())
            if (code === Code.put) return await taken(request, "config", Code.changed, take)
            break
        case "identify":
            if (code === Code.post) return await taken(request, "identify", Code.changed, take)
            break
        case "readings":
            if (code === Code.delete) return await taken(request, "clear", Code.deleted, take)
            break
        default:
            return new CoapMessage(Code.notFound)
    }
    return new CoapMessage(Code.methodNotAllowed)
}

function show(request: CoapMessage, format: number, options: Buffer, payload: Buffer): CoapMessage {
    if (!accepts(request, format)) return new CoapMessage(Code.notAcceptable)
    const block2 = request.uintOption(OptionNumber.block2)
    return content(options, payload, block2, peerMaxMessageBytes)
}

/** Whether the request accepts this Content-Format (RFC 7252 §5.10.4). */
function accepts(request: CoapMessage, format: number): boolean {
    const accept = request.uintOption(OptionNumber.accept)
    return accept === undefined || accept === format
}

/** Handles something that the clinic has sealed. A refusal is answered with problem details (RFC 9290). */
async function taken(request: CoapMessage, name: string, done: number, take: Take): Promise<CoapMessage> {
    const { payload } = request
    const format = request.uintOption(OptionNumber.contentFormat)
    if (format !== undefined && format !== coseMac0) return new CoapMessage(Code.unsupportedContentFormat)
    if (payload.length > maxSealedBytes) return new CoapMessage(Code.requestEntityTooLarge)
    const refusal = await take(name, payload)
    if (refusal === undefined) return new CoapMessage(done)
    return new CoapMessage(responseCode(refusal), undefined, problemOptions, Buffer.concat(problemStart, refusal))
}

/** 5.03 if busy, which is worth a retry; 4.03 if not authentic or old; otherwise 4.00. */
function responseCode(refusal: Buffer): number {
    switch (codeOf(refusal)) {
        case RefusalCode.busy:
            return Code.serviceUnavailable
        case RefusalCode.notAuthentic:
        case RefusalCode.versionOld:
            return Code.forbidden
    }
    return Code.badRequest
}
