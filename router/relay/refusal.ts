import { WireError } from "../../wire/cbor.ts"
import { refusalIn } from "../../wire/refusal.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"
import { ContentFormat, type CoapMessage } from "../coap/message.ts"
import { OptionNumber, uintValue } from "../coap/options.ts"

/** Returns the refusal in a mote's response, or undefined if it has no problem details (RFC 9290) with one. */
export function refusalOf({ options, payload }: CoapMessage): Refusal | undefined {
    if (uintValue(options, OptionNumber.ContentFormat) !== ContentFormat.problemDetails) return undefined
    try {
        return refusalIn(payload)
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}
