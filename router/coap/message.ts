/** One option of a message, RFC 7252 §5.4. The format of the value depends on the option's number. */
export interface CoapOption {
    number: number
    value: Uint8Array
}

/** A CoAP message without type and message ID, which only UDP has, RFC 8323 §3.2. */
export interface CoapMessage {
    /** Class (3 bits) and detail (5 bits), RFC 7252 §3; see `code`. */
    code: number
    /** 0 to 8 bytes that match a response to its request. */
    token: Uint8Array
    /** Options in ascending order of their numbers. */
    options: CoapOption[]
    payload: Uint8Array
}

/** Converts a code from dotted notation, such as `4.04`, to its byte, RFC 7252 §3. */
export function code(dotted: `${number}.${number}`): number {
    const [codeClass, detail] = dotted.split(".").map(Number)
    return (codeClass! << 5) | detail!
}

/** Converts a code to dotted notation: 0x84 becomes `4.04`. */
export function dotted(code: number): string {
    return `${codeClass(code)}.${String(code & 31).padStart(2, "0")}`
}

/** Returns the class of a code: 0 request, 2 success, 4 client error, 5 server error, 7 signalling. */
export function codeClass(code: number): number {
    return code >> 5
}

/** The codes in use, from RFC 7252 §12.1, RFC 7959 §2.9, RFC 8132 §4, RFC 8323 §11.1 and RFC 8516. */
export const Code = {
    Empty: code("0.00"),
    GET: code("0.01"),
    POST: code("0.02"),
    PUT: code("0.03"),
    DELETE: code("0.04"),
    FETCH: code("0.05"),
    PATCH: code("0.06"),
    iPATCH: code("0.07"),
    Changed: code("2.04"),
    Content: code("2.05"),
    Continue: code("2.31"),
    BadRequest: code("4.00"),
    Unauthorized: code("4.01"),
    BadOption: code("4.02"),
    Forbidden: code("4.03"),
    NotFound: code("4.04"),
    MethodNotAllowed: code("4.05"),
    NotAcceptable: code("4.06"),
    RequestEntityIncomplete: code("4.08"),
    RequestEntityTooLarge: code("4.13"),
    UnsupportedContentFormat: code("4.15"),
    TooManyRequests: code("4.29"),
    InternalServerError: code("5.00"),
    NotImplemented: code("5.01"),
    BadGateway: code("5.02"),
    ServiceUnavailable: code("5.03"),
    GatewayTimeout: code("5.04"),
    ProxyingNotSupported: code("5.05"),
    CSM: code("7.01"),
    Ping: code("7.02"),
    Pong: code("7.03"),
    Release: code("7.04"),
    Abort: code("7.05"),
} as const

/** The Content-Formats in use, from RFC 7252 §12.3, RFC 9052 §11.3.6, RFC 8428 §12.2 and RFC 9290 §6.3. */
export const ContentFormat = { coseMac0: 17, linkFormat: 40, json: 50, senmlCbor: 112, problemDetails: 257 } as const

const noBytes = new Uint8Array(0)

/** Makes a message. Token, options and payload are empty unless given. */
export function message(code: number, parts: Partial<CoapMessage> = {}): CoapMessage {
    return { token: noBytes, options: [], payload: noBytes, ...parts, code }
}
