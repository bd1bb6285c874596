/** How far one sequence number is ahead of another, modulo 2^32 (RFC 9293 §3.4). */
export function ahead(a: number, b: number): number {
    return (a - b) | 0
}
