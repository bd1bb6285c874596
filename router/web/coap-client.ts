import type { Asked } from "../browser/messages.ts"

const contentFormat = 12
const accept = 17

/** The same request as a call of libcoap's `coap-client`. Null for a path where this router serves no CoAP. */
export function coapClientCall(asked: Asked, host: string, port: number | null, observe = false): string | null {
    const { method, path, options, payload } = asked
    const isUri = !path.startsWith("/")
    if (port === null && !isUri) return null
    const words = ["coap-client"]
    if (method !== "GET") words.push("-m", method.toLowerCase())
    if (observe) words.push("-s", "60")
    for (const { number, value } of options)
        if (number === accept) words.push("-A", String(uint(value)))
        else if (number === contentFormat) words.push("-t", String(uint(value)))
        else words.push("-O", `${number},0x${value}`)
    // Any bytes survive printf in octal; coap-client reads them from its standard input.
    const piped = payload !== ""
    if (piped) words.push("-f", "-")
    const at = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host
    words.push(quoted(isUri ? path : `coap+tcp://${at}:${port}${path}`))
    const call = words.join(" ")
    return piped ? `printf '${octal(payload)}' | ${call}` : call
}

function uint(hex: string): number {
    return hex === "" ? 0 : parseInt(hex, 16)
}

function octal(hex: string): string {
    return (hex.match(/../g) ?? []).map(byte => `\\${parseInt(byte, 16).toString(8).padStart(3, "0")}`).join("")
}

/** For a POSIX shell. */
function quoted(text: string): string {
    return /^[\w@%+=:,./[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
