import { WireError } from "../../wire/cbor.ts"
import { refusalIn } from "../../wire/refusal.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"
import { ContentFormat, type CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintValue } from "../coap/options.ts"

/** Why the mote refuses, where its response says so in problem details (RFC 9290). */
export function refusalOf({ options, payload }: CoapMessage): Refusal | undefined {
    if (uintValue(options, OptionNumber.ContentFormat) !== ContentFormat.problemDetails) return undefined
    try {
        return refusalIn(payload)
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}
