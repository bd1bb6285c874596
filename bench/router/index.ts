import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Row } from "../row.ts"
import { openLink, type Link } from "./link.ts"
import { cpuUsOf, startPeers, type Peer } from "./peers.ts"
import { profileOf, writeProfile } from "./profile.ts"

/** Connections, messages under way on each, and messages in all. */
const loads = [
    [1, 1, 1_000],
    [10, 32, 20_000],
    [1000, 1, 20_000],
] as const

/**
 * Messages per second and CPU time per message of a router on this machine: request parsed, MAC checked, replay window,
 * committed to disk, receipt created, delivered to a clinic and removed from the outbox. The same run measures servers that do less:
 * a plain TCP echo of as many bytes; CoAP servers that confirm a PUT of as many; brokers that confirm a PUBLISH with QoS 1.
 * The ratios say more than the numbers, which depend on the machine.
 * @param report a folder for CPU profiles of the router under each load
 */
export async function bench(report?: string): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    chmodSync(data, 0o755) // mosquitto changes to another user
    let peers: Peer[] = []
    try {
        peers = await startPeers(data)
        const rows: Row[] = []
        for (const [connections, window, messages] of loads)
            for (const peer of peers) {
                const load = { connections, window, messages }
                const { perSecond, cpuUs } = await measure(peer, load)
                const what = `${peer.name}, ${connections} × ${window} under way`
                rows.push({ what, value: Math.round(perSecond), unit: "messages/s" })
                if (cpuUs !== undefined) rows.push({ what, value: cpuUs, unit: "µs CPU/message" })
                if (report !== undefined && peer.server)
                    rows.push(...writeProfile(report, what, await profileOf(peer.server, () => measure(peer, load))))
            }
        return rows
    } finally {
        for (const peer of peers) await peer.close()
        rmSync(data, { recursive: true, force: true })
    }
}

/** Sends all messages, and waits for their confirmations. */
async function measure(peer: Peer, o: { connections: number; window: number; messages: number }) {
    const each = o.messages / o.connections
    const links: Link[] = []
    for (let c = 0; c < o.connections; c++) links.push(await openLink(peer, c))
    const run = async (from: number, count: number, window: number) => {
        const prepared = links.map((_, c) => Array.from({ length: count }, (_, n) => peer.message(c, from + n)))
        const cpuBefore = cpuUsOf(peer.pid)
        const start = performance.now()
        await Promise.all(links.map((link, c) => link.exchange(prepared[c]!, window)))
        const seconds = (performance.now() - start) / 1000
        const cpuAfter = cpuUsOf(peer.pid)
        const total = count * o.connections
        const cpuUs = cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / total
        return { perSecond: total / seconds, cpuUs }
    }
    const warmUp = Math.ceil(each / 5)
    await run(0, warmUp, 1)
    const result = await run(warmUp, each, o.window)
    for (const link of links) link.close()
    return result
}
