const codes: Record<string, string> = {
    "2.01": "Created",
    "2.02": "Deleted",
    "2.03": "Valid",
    "2.04": "Changed",
    "2.05": "Content",
    "2.31": "Continue",
    "4.00": "Bad Request",
    "4.01": "Unauthorized",
    "4.02": "Bad Option",
    "4.03": "Forbidden",
    "4.04": "Not Found",
    "4.05": "Method Not Allowed",
    "4.06": "Not Acceptable",
    "4.08": "Request Entity Incomplete",
    "4.09": "Conflict",
    "4.12": "Precondition Failed",
    "4.13": "Request Entity Too Large",
    "4.15": "Unsupported Content-Format",
    "4.29": "Too Many Requests",
    "5.00": "Internal Server Error",
    "5.01": "Not Implemented",
    "5.02": "Bad Gateway",
    "5.03": "Service Unavailable",
    "5.04": "Gateway Timeout",
    "5.05": "Proxying Not Supported",
}

/** A response code with its name, RFC 7252 §12.1.2: `2.05 Content`. */
export function codeName(code: string): string {
    const name = codes[code]
    return name ? `${code} ${name}` : code
}

/** The time of day by this computer's clock. */
export function timeOfDay(ms: number): string {
    return new Date(ms).toLocaleTimeString("en-GB")
}

/** How long ago: `12 s`, `3 min`, `2 h`. */
export function ago(ms: number): string {
    const seconds = Math.max(0, Math.round(ms / 1000))
    if (seconds < 120) return `${seconds} s`
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`
    return `${Math.round(seconds / 3600)} h`
}

export function bytes(count: number): string {
    return count === 1 ? "1 byte" : `${count} bytes`
}
