import type { Profiler } from "node:inspector"
import { Session } from "node:inspector/promises"

const sampleUs = 500
const collector = "(garbage collector)"
const idle = "(idle)"

/** A CPU profile of this thread while `work` runs. */
export async function profiled(work: () => Promise<void>): Promise<Profiler.Profile> {
    const session = new Session()
    session.connect()
    try {
        await session.post("Profiler.enable")
        await session.post("Profiler.setSamplingInterval", { interval: sampleUs })
        await session.post("Profiler.start")
        await work()
        return (await session.post("Profiler.stop")).profile
    } finally {
        session.disconnect()
    }
}

/**
 * Share of the time of each part of a program; the remainder is time outside all parts.
 * @param parts regular expressions for source URLs; the innermost caller that matches one counts
 */
export function timeByPart(
    { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
    parts: Record<string, RegExp>,
): Record<string, number> {
    const partOf = new Map<number, string>()
    const visit = (id: number, inherited: string) => {
        const { callFrame, children = [] } = byId.get(id)!
        const { url, functionName } = callFrame
        const own = Object.keys(parts).find(part => parts[part]!.test(url))
        const part = functionName === collector ? "garbage collection" : (own ?? inherited)
        partOf.set(id, functionName === idle ? idle : part)
        for (const child of children) visit(child, part)
    }
    const byId = new Map(nodes.map(node => [node.id, node]))
    visit(nodes[0]!.id, "the rest")
    const times = new Map<string, number>()
    let total = 0
    samples.forEach((id, i) => {
        const part = partOf.get(id)!
        if (part === idle) return
        total += timeDeltas[i]!
        times.set(part, (times.get(part) ?? 0) + timeDeltas[i]!)
    })
    return Object.fromEntries([...times].sort((a, b) => b[1] - a[1]).map(([part, time]) => [part, time / total]))
}

/** Share of the busy time in each function alone, without those it called, the largest first. */
export function timeByFunction({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
    const names = new Map(
        nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
            const place = url === "" ? "" : ` (${url.split("/").slice(-2).join("/")}:${lineNumber + 1})`
            return [id, (functionName || "anonymous") + place]
        }),
    )
    const times = new Map<string, number>()
    let total = 0
    samples.forEach((id, i) => {
        const name = names.get(id)!
        if (name === idle) return
        total += timeDeltas[i]!
        times.set(name, (times.get(name) ?? 0) + timeDeltas[i]!)
    })
    return [...times].sort((a, b) => b[1] - a[1]).map(([name, time]) => ({ name, share: time / total }))
}
