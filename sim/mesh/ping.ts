import { decodeEcho, decodeIcmp, encodeEcho, IcmpType } from "../net/icmpv6.ts"
import { decodeIpv6, formatAddress, type Ipv6Address } from "../net/ipv6.ts"
import { finalDestination } from "../net/source-route.ts"
import type { Events } from "../time/events.ts"
import type { BorderHost } from "./border.ts"

/** Data bytes of an echo request, as in iputils. */
const dataBytes = 56

export interface EchoReply {
    sequence: number
    from: Ipv6Address
    hopLimit: number
    bytes: number
    rttMs: number
}

export interface PingResult {
    sent: number
    replies: EchoReply[]
    lines: string[]
}

/** Pings a mote from the host once a second, and prints what iputils' ping prints. */
export async function ping(o: {
    events: Events
    host: BorderHost
    target: Ipv6Address
    count: number
    intervalMs?: number
    timeoutMs?: number
    identifier?: number
    print?: (line: string) => void
    /** Advances the simulation. */
    wait: (ms: number, until?: () => boolean) => Promise<void>
}): Promise<PingResult> {
    const { events, host, target, count, intervalMs = 1000, timeoutMs = 10_000 } = o
    const identifier = o.identifier ?? 1
    const lines: string[] = []
    const print = (line: string) => {
        lines.push(line)
        o.print?.(line)
    }
    const name = formatAddress(target)
    print(`PING ${name}(${name}) ${dataBytes} data bytes`)
    const sentMs: number[] = []
    const replies: EchoReply[] = []
    const beginMs = events.now()
    let lastMs = beginMs
    host.received = (message, packet) => {
        if (message.type === IcmpType.timeExceeded || message.type === IcmpType.unreachable) {
            const text =
                message.type === IcmpType.timeExceeded
                    ? "Time exceeded: Hop limit"
                    : "Destination unreachable: No route"
            const sequence = sequenceIn(message.body.subarray(4))
            if (sequence !== undefined) print(`From ${formatAddress(packet.source)} icmp_seq=${sequence} ${text}`)
            return
        }
        if (message.type !== IcmpType.echoReply) return
        const echo = decodeEcho(message)
        const began = sentMs[echo.sequence - 1]
        if (echo.identifier !== identifier || began === undefined) return
        lastMs = events.now()
        const rttMs = lastMs - began
        const isRepeated = replies.some(({ sequence }) => sequence === echo.sequence)
        const bytes = echo.data.length + 8
        const { source, hopLimit } = packet
        if (!isRepeated) replies.push({ sequence: echo.sequence, from: source, hopLimit, bytes, rttMs })
        const from = formatAddress(source)
        const text = `${bytes} bytes from ${from}: icmp_seq=${echo.sequence} ttl=${hopLimit} time=${formatMs(rttMs)} ms`
        print(isRepeated ? `${text} (DUP!)` : text)
    }
    const data = Uint8Array.from({ length: dataBytes }, (_, i) => i)
    for (let sequence = 1; sequence <= count; sequence++) {
        sentMs.push((lastMs = events.now()))
        host.sendIcmp(encodeEcho(IcmpType.echoRequest, { identifier, sequence, data }), target)
        const isLast = sequence === count
        if (isLast) await o.wait(timeoutMs, () => replies.length === count)
        else await o.wait(intervalMs)
    }
    host.received = () => {}
    const lost = count - replies.length
    print("")
    print(`--- ${name} ping statistics ---`)
    print(
        `${count} packets transmitted, ${replies.length} received, ${percent(lost / count)}% packet loss, time ${Math.round(lastMs - beginMs)}ms`,
    )
    if (replies.length) print(statistics(replies.map(({ rttMs }) => rttMs)))
    return { sent: count, replies, lines }
}

/** iputils prints milliseconds with about three significant digits. */
function formatMs(ms: number): string {
    return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3)
}

function percent(share: number): string {
    return Number((100 * share).toPrecision(6)).toString()
}

function statistics(rtts: number[]): string {
    const mean = rtts.reduce((a, b) => a + b, 0) / rtts.length
    const squares = rtts.reduce((a, b) => a + b * b, 0) / rtts.length
    const deviation = Math.sqrt(Math.max(0, squares - mean * mean))
    const values = [Math.min(...rtts), mean, Math.max(...rtts), deviation]
    return `rtt min/avg/max/mdev = ${values.map(value => value.toFixed(3)).join("/")} ms`
}

/** The sequence number of the echo request that an error message quotes. */
function sequenceIn(excerpt: Uint8Array): number | undefined {
    try {
        const packet = decodeIpv6(excerpt)
        return decodeEcho(decodeIcmp(packet.payload, packet.source, finalDestination(packet))).sequence
    } catch {
        return undefined
    }
}
