import { Code, CoapMessage, OptionNumber } from "./message"

/** Critical options of requests that we understand. */
const criticalOptions = [
    OptionNumber.uriHost,
    OptionNumber.uriPort,
    OptionNumber.uriPath,
    OptionNumber.uriQuery,
    OptionNumber.accept,
]

/** Answers a request of the peer (RFC 7252 §5.8); the token comes later. The mote has no resources of its own. */
export async function serve(request: CoapMessage): Promise<CoapMessage> {
    if (request.unknownCriticalOption(criticalOptions) !== undefined)
        return new CoapMessage(Code.badOption)
    if (request.code > Code.delete) return new CoapMessage(Code.methodNotAllowed)
    return new CoapMessage(Code.notFound)
}
