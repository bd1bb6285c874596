import { diagnose } from "cbor2"
import { WireError } from "../../wire/cbor.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { refusalText } from "../../wire/tables/refusals.ts"
import { parseLinks } from "../coap/link-format.ts"
import { ContentFormat, dotted, type CoapMessage, type CoapOption } from "../coap/message.ts"
import { OptionNumber, uintValue } from "../coap/options.ts"
import { senmlJson } from "../relay/html.ts"
import { mediaTypeOf } from "../relay/http-mapping.ts"
import { coseStructure } from "./cose.ts"
import { refusalOf } from "../relay/refusal.ts"
import type { Answered, Decoded } from "./messages.ts"

const cbor = 60
const coseEncrypt0 = 16
const coseSign1 = 18
const uints: number[] = [
    ...[OptionNumber.Observe, OptionNumber.UriPort, OptionNumber.MaxAge],
    ...[OptionNumber.Size1, OptionNumber.Size2],
]
const texts: number[] = [
    ...[OptionNumber.UriHost, OptionNumber.UriPath, OptionNumber.UriQuery],
    ...[OptionNumber.LocationPath, OptionNumber.LocationQuery, OptionNumber.ProxyUri, OptionNumber.ProxyScheme],
]

/** A response as pages and clients of event streams get it. `ms`: the time that it took. */
export function answered(response: CoapMessage, ms: number): Answered {
    return {
        code: dotted(response.code),
        options: shownOptions(response.options),
        payload: Buffer.from(response.payload).toString("hex"),
        decoded: decoded(response),
        at: Date.now(),
        ms: Math.round(ms),
    }
}

/** Says what a message carries. Any bytes may come: what is not in the format that it claims to be is shown as bytes. */
export function decoded(response: CoapMessage): Decoded {
    const { options, payload } = response
    if (payload.length === 0) return { kind: "nothing" }
    const contentFormat = uintValue(options, OptionNumber.ContentFormat)
    try {
        return decodedAs(contentFormat, response)
    } catch {
        return { kind: "bytes" }
    }
}

function decodedAs(contentFormat: number | undefined, response: CoapMessage): Decoded {
    const { payload } = response
    switch (contentFormat) {
        case undefined: // a diagnostic payload, RFC 7252 §5.5.2
        case 0:
        case ContentFormat.json:
            return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(payload) }
        case ContentFormat.linkFormat:
            return {
                kind: "links",
                links: parseLinks(Buffer.from(payload).toString("utf8")).map(([target, attributes]) => ({
                    target,
                    attributes: { ...attributes },
                })),
            }
        case ContentFormat.senmlCbor: {
            const records = senmlJson(contentFormat, payload)
            return records ? { kind: "senml", records } : { kind: "bytes" }
        }
        case ContentFormat.coseMac0:
            return envelope(payload)
        case coseEncrypt0:
        case coseSign1:
            return coseStructure(payload) ?? { kind: "cbor", text: diagnose(payload) }
        case ContentFormat.problemDetails: {
            const refusal = refusalOf(response)
            return refusal
                ? { kind: "refusal", text: refusalText(refusal), code: refusal.code }
                : { kind: "cbor", text: diagnose(payload) }
        }
        case cbor:
            return { kind: "cbor", text: diagnose(payload) }
    }
    return { kind: "bytes" }
}

/** An envelope of a mote: who, and its number, which are not secret. Only the clinic can open the rest. */
function envelope(payload: Uint8Array): Decoded {
    const text = diagnose(payload)
    try {
        const { kid, boot, salt, seq, ciphertext } = parseEnvelope(payload)
        const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
        return {
            ...{ kind: "envelope", kid: hex(kid), boot, salt: hex(salt), seq, text },
            sealedBytes: ciphertext.length,
        }
    } catch (error) {
        if (error instanceof WireError) return coseStructure(payload) ?? { kind: "cbor", text }
        throw error
    }
}

/** The options of a response with their names and values in words. */
export function shownOptions(options: CoapOption[]): Answered["options"] {
    return options.map(option => ({
        number: option.number,
        value: Buffer.from(option.value).toString("hex"),
        name: nameOf(option.number),
        text: textOf(option),
    }))
}

function nameOf(number: number): string {
    const known = Object.entries(OptionNumber).find(([, value]) => value === number)
    return known ? known[0].replace(/(?<=[a-z])(?=[A-Z])/g, "-") : `option ${number}`
}

function textOf({ number, value }: CoapOption): string {
    const uint = uintValue([{ number, value }], number)
    if (number === OptionNumber.ContentFormat || number === OptionNumber.Accept)
        return uint === undefined ? "" : `${uint} ${mediaTypeOf(uint)}`
    if (number === OptionNumber.MaxAge) return `${uint ?? "?"} s`
    if ((number === OptionNumber.Block1 || number === OptionNumber.Block2) && uint !== undefined)
        return `block ${uint >>> 4} of ${2 ** ((uint & 7) + 4)} bytes${uint & 8 ? ", more follow" : ", the last"}`
    if (uints.includes(number)) return String(uint ?? "")
    if (texts.includes(number)) return Buffer.from(value).toString("utf8")
    return Buffer.from(value).toString("hex")
}
