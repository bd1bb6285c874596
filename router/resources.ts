import type { Purpose } from "../wire/envelope.ts"
import { maxEnvelopeBytes } from "../wire/envelope.ts"
import { addressOf } from "./address.ts"
import { accepts, problem, type Resource } from "./coap/dispatch.ts"
import { Code, ContentFormat, message, type CoapMessage } from "./coap/message.ts"
import { OptionNumber, uintOption, uintValue } from "./coap/options.ts"
import type { Ingest, Refusal } from "./ingest.ts"
import type { Network } from "./browser/messages.ts"

/** The Max-Age of a 5.03 response: when the mote may retry. */
const busyMaxAgeS = 10
/** The Max-Age while the router requests the mote's keys from the clinic. */
const keysAwaitedMaxAgeS = 1
const networkMaxAgeS = 2

/** The resources to which motes post envelopes. */
export function moteResources(ingest: Ingest): Record<string, Resource> {
    const envelopes = (purpose: Purpose): Resource => ({
        attributes: { rt: `vitalmote.${purpose}`, ct: ContentFormat.coseMac0 },
        POST: async (request, requester) => {
            if (!hasContentFormat(request, ContentFormat.coseMac0))
                return problem(Code.UnsupportedContentFormat, "Content-Format 17 only")
            if (!accepts(request, ContentFormat.coseMac0))
                return problem(Code.NotAcceptable, "receipts are Content-Format 17")
            const result = await ingest.submit(purpose, request.payload, { address: addressOf(requester.peer) })
            if (result.status === "refused") return refusal(result.reason)
            if (result.status === "stored") requester.envelopeAccepted(result.eui)
            return message(Code.Changed, {
                options: [uintOption(OptionNumber.ContentFormat, ContentFormat.coseMac0)],
                payload: result.receipt,
            })
        },
    })
    return { "/vitals": envelopes("vitals"), "/alarms": envelopes("alarm") }
}

/** What a 6LoWPAN border router reports of its network; docs/router.md has the format. */
export function networkResource(network: () => Network): Record<string, Resource> {
    return {
        "/rpl": {
            attributes: { rt: "vitalmote.rpl", ct: ContentFormat.json },
            GET: request => {
                if (!accepts(request, ContentFormat.json)) return problem(Code.NotAcceptable, "Content-Format 50 only")
                return message(Code.Content, {
                    options: [
                        uintOption(OptionNumber.ContentFormat, ContentFormat.json),
                        uintOption(OptionNumber.MaxAge, networkMaxAgeS),
                    ],
                    payload: Buffer.from(JSON.stringify(network())),
                })
            },
        },
    }
}

function refusal(reason: Refusal): CoapMessage {
    switch (reason) {
        case "tooLarge":
            return problem(Code.RequestEntityTooLarge, `at most ${maxEnvelopeBytes} bytes`, [
                uintOption(OptionNumber.Size1, maxEnvelopeBytes),
            ])
        case "malformed":
            return problem(Code.BadRequest, "not an envelope")
        case "unknownFormat":
            return problem(Code.BadRequest, "an envelope of a format that this router does not know")
        case "unknownKid":
        case "badMac": // the same response, so that nobody learns which motes exist
            return problem(Code.Unauthorized, "unknown kid or wrong MAC")
        case "olderBoot":
            return problem(Code.Forbidden, "older than the newest start of this mote")
        case "otherSalt":
            return problem(Code.Forbidden, "another start has the same boot number")
        case "belowWindow":
            return problem(Code.Forbidden, "too old for the replay window")
        case "keysAwaited":
            return retryAfter(keysAwaitedMaxAgeS)
        case "clinicAway":
        case "busy":
            return retryAfter(busyMaxAgeS)
    }
}

function retryAfter(seconds: number): CoapMessage {
    return problem(Code.ServiceUnavailable, "cannot accept envelopes at present", [
        uintOption(OptionNumber.MaxAge, seconds),
    ])
}

function hasContentFormat(request: CoapMessage, contentFormat: number): boolean {
    return uintValue(request.options, OptionNumber.ContentFormat) === contentFormat
}
