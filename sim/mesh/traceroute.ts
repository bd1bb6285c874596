import type { Events } from "../time/events.ts"
import { encodeEcho, IcmpType } from "../net/icmpv6.ts"
import { equalBytes } from "../net/bytes.ts"
import { formatAddress, type Ipv6Address } from "../net/ipv6.ts"
import type { BorderHost } from "./border.ts"

const dataBytes = 32
const probes = 3
const waitMs = 5000
const maxHops = 30

export interface Hop {
    hop: number
    from: string | undefined
    rttsMs: (number | undefined)[]
}

/** The route to a mote, hop by hop, as traceroute prints it. */
export async function traceroute(o: {
    events: Events
    host: BorderHost
    target: Ipv6Address
    print?: (line: string) => void
    wait: (ms: number, until?: () => boolean) => Promise<void>
}): Promise<Hop[]> {
    const { events, host, target, print = () => {} } = o
    const name = formatAddress(target)
    print(`traceroute to ${name} (${name}), ${maxHops} hops max, ${dataBytes + 48} byte packets`)
    const hops: Hop[] = []
    const data = new Uint8Array(dataBytes)
    for (let hop = 1; hop <= maxHops; hop++) {
        const found: Hop = { hop, from: undefined, rttsMs: [] }
        let hasArrived = false
        for (let probe = 0; probe < probes; probe++) {
            const sentMs = events.now()
            let rttMs: number | undefined
            host.received = (message, packet) => {
                const isReply = message.type === IcmpType.echoReply
                if (!isReply && message.type !== IcmpType.timeExceeded) return
                rttMs ??= events.now() - sentMs
                found.from ??= formatAddress(packet.source)
                hasArrived ||= isReply && equalBytes(packet.source, target)
            }
            const echo = { identifier: hop, sequence: probe, data }
            host.sendIcmp(encodeEcho(IcmpType.echoRequest, echo), target, hop)
            await o.wait(waitMs, () => rttMs !== undefined)
            found.rttsMs.push(rttMs)
        }
        hops.push(found)
        const times = found.rttsMs.map(ms => (ms === undefined ? "*" : `${ms.toFixed(3)} ms`))
        print(`${String(hop).padStart(2)}  ${found.from ?? ""}${found.from ? "  " : ""}${times.join("  ")}`)
        if (hasArrived) break
    }
    host.received = () => {}
    return hops
}
