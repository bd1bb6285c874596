import { code as coapCode, codeClass } from "../coap/message.ts"

/** Content-Formats (RFC 7252 §12.3) and their media types. */
const mediaTypes: [number, string][] = [
    [0, "text/plain; charset=utf-8"],
    [17, 'application/cose; cose-type="cose-mac0"'],
    [40, "application/link-format"],
    [42, "application/octet-stream"],
    [50, "application/json"],
    [60, "application/cbor"],
    [110, "application/senml+json"],
    [112, "application/senml+cbor"],
    [257, "application/concise-problem-details+cbor"],
]

/** The media type for any Content-Format by number, RFC 8075 §6.2. */
const coapPayload = "application/coap-payload"

/** Codes whose HTTP status differs from 100 times the class plus the detail, RFC 8075 §7. */
const statuses = new Map<number, number>([
    [coapCode("2.02"), 200],
    [coapCode("2.04"), 200],
    [coapCode("2.05"), 200],
    [coapCode("4.01"), 403],
    [coapCode("4.02"), 400],
    [coapCode("4.08"), 400],
    [coapCode("5.05"), 502],
])

export function httpStatus(code: number): number {
    return statuses.get(code) ?? codeClass(code) * 100 + (code & 31)
}

export function mediaTypeOf(contentFormat: number | undefined): string {
    if (contentFormat === undefined) return "application/octet-stream"
    const known = mediaTypes.find(([number]) => number === contentFormat)
    return known ? known[1] : `${coapPayload}; cf=${contentFormat}`
}

/** Returns the Content-Format of a media type, or undefined if it has none. */
export function contentFormatOf(mediaType: string): number | undefined {
    const plain = normal(mediaType)
    const byNumber = /^application\/coap-payload;cf=(\d{1,5})$/.exec(plain)
    if (byNumber) return Number(byNumber[1]) <= 0xffff ? Number(byNumber[1]) : undefined
    return mediaTypes.find(([, type]) => normal(type) === plain)?.[0]
}

/** Returns the offered type that an Accept header (RFC 9110 §12.5.1) prefers, and the first of several equal ones. */
export function preferred(accept: string | undefined, offered: string[]): string | undefined {
    if (accept === undefined || accept.trim() === "") return offered[0]
    const ranges = accept
        .split(",")
        .slice(0, 32)
        .map(range => {
            const [type = "", ...parameters] = normal(range).split(";")
            const q = parameters.find(p => p.startsWith("q="))
            const own = parameters.filter(p => !p.startsWith("q="))
            return { type, parameters: own, q: q === undefined ? 1 : Number(q.slice(2)) }
        })
    let best: string | undefined
    let bestQ = 0
    for (const offer of offered) {
        const [type, ...parameters] = normal(offer).split(";")
        const fitting = ranges
            .filter(range => range.parameters.every(p => parameters.includes(p)))
            .map(range => ({
                q: range.q,
                rank: specificity(range.type, type!) + range.parameters.length,
            }))
            .filter(({ rank }) => rank > 0)
            .sort((a, b) => b.rank - a.rank)[0]
        if (fitting && fitting.q > bestQ) {
            best = offer
            bestQ = fitting.q
        }
    }
    return best
}

/** Returns how specifically a media range matches a type, 0 if it does not match. */
function specificity(range: string, type: string): number {
    if (range === type) return 300
    if (range === `${type.split("/")[0]}/*`) return 200
    return range === "*/*" ? 100 : 0
}

function normal(mediaType: string): string {
    return mediaType.toLowerCase().replaceAll(/[\s"]/g, "")
}
