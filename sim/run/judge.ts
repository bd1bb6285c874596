import { ping } from "../mesh/ping.ts"
import type { Simulation } from "./simulation.ts"
import { Histogram } from "../observe/histogram.ts"
import type { Assertion } from "../scenario/schema.ts"

/** A scenario's claim and its outcome. */
export interface Verdict {
    claim: string
    holds: boolean
    found: string
}

const pingCount = 5
/** Time by which a mote has joined, measured and sent, unless readings wait for each other. */
const startMs = 30_000

/** Checks the claims of a scenario; pings take additional simulated time. */
export async function judge(simulation: Simulation): Promise<Verdict[]> {
    const verdicts: Verdict[] = []
    for (const assertion of simulation.scenario.assert ?? []) verdicts.push(await verdictOn(assertion, simulation))
    return verdicts
}

async function verdictOn(assertion: Assertion, simulation: Simulation): Promise<Verdict> {
    if ("joined" in assertion) return joined(assertion, simulation)
    if ("delivery" in assertion) return delivery(assertion.delivery, simulation)
    if ("latency" in assertion) return latency(assertion, simulation)
    if ("recovery" in assertion) return recovery(assertion, simulation)
    if ("alarm" in assertion) return alarmed(assertion, simulation)
    if ("ping" in assertion) return await pinged(assertion, simulation)
    if ("refused" in assertion) return refused(assertion.refused, simulation)
    return forged(simulation)
}

function joined({ joined, within }: { joined: number; within?: number }, { motes, startMs }: Simulation): Verdict {
    const times = [...motes.values()].map(({ node }) => node?.rpl.joinedMs)
    const inTime = times.filter(ms => ms !== undefined && (within === undefined || ms - startMs <= within * 1000))
    const known = times.filter(ms => ms !== undefined)
    const last = known.length ? `, the last after ${((Math.max(...known) - startMs) / 1000).toFixed(1)} s` : ""
    const found = `${inTime.length} of ${times.length}${last}`
    return {
        claim: `${percent(joined)} of the motes joined${within === undefined ? "" : ` within ${within} s`}`,
        holds: inTime.length >= joined * times.length,
        found,
    }
}

function delivery(share: number, { motes, statistics, clock }: Simulation): Verdict {
    let expected = 0
    let arrived = 0
    const silent: number[] = []
    for (const { id, node, poweredMs } of motes.values()) {
        const one = statistics.delivery(id, clock.now())
        expected += one.expected
        arrived += one.arrived
        // A mote from which nothing has arrived by then is not just slow.
        const isLong = clock.now() - poweredMs > startMs + statistics.patienceMs
        if (node && isLong && !statistics.of(id).latencyMs.count) silent.push(id)
    }
    const nothing = silent.length ? `, none from ${silent.join(", ")}` : ""
    return {
        claim: `${percent(share)} of the readings arrive`,
        holds: expected > 0 && arrived >= share * expected && (share === 0 || !silent.length),
        found: `${arrived} of ${expected}${nothing}`,
    }
}

function latency({ latency, share = 0.95 }: { latency: number; share?: number }, { statistics }: Simulation): Verdict {
    const all = new Histogram()
    for (const { latencyMs } of statistics.nodes.values()) all.addAll(latencyMs)
    const seconds = all.percentile(share) / 1000
    return {
        claim: `${percent(share)} of the readings are in the clinic within ${latency} s`,
        holds: all.count > 0 && seconds <= latency,
        found: all.count ? `${seconds.toFixed(2)} s` : "no reading",
    }
}

/** Whether every mote that had power at that moment reports again within the time. */
function recovery(
    { recovery, after }: { recovery: number; after: number },
    { motes, statistics, startMs, clock }: Simulation,
): Verdict {
    const fromMs = startMs + after * 1000
    const claim = `every mote that has power then reports within ${recovery} s of second ${after}`
    if (clock.now() < fromMs) return { claim, holds: false, found: "the run ended before" }
    let worst = 0
    for (const { id, node, off } of motes.values()) {
        const wasOff = off.some(([from, to]) => from <= fromMs && to > fromMs)
        if (!node || wasOff) continue
        const first = statistics.firstSince(id, fromMs) ?? Infinity
        worst = Math.max(worst, (first - fromMs) / 1000)
    }
    return {
        claim,
        holds: worst <= recovery,
        found: Number.isFinite(worst) ? `${worst.toFixed(1)} s` : "some motes never",
    }
}

function alarmed(
    { alarm, mote, within }: { alarm: string; mote: number; within: number },
    { statistics }: Simulation,
): Verdict {
    const ms = statistics.of(mote).alarmMs.get(alarm)
    return {
        claim: `alarm ${alarm} of mote ${mote} is in the clinic within ${within} s`,
        holds: ms !== undefined && ms <= within * 1000,
        found: ms === undefined ? "not received" : `${(ms / 1000).toFixed(2)} s`,
    }
}

async function pinged(
    { ping: id, replies, ttl }: { ping: number; replies: number; ttl?: number },
    simulation: Simulation,
): Promise<Verdict> {
    const claim = `${percent(replies)} of ${pingCount} pings of mote ${id} are answered${ttl === undefined ? "" : `, ttl ${ttl}`}`
    const target = simulation.addressOf(id)
    const { clock, host } = simulation
    const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
    const result = await ping({ events: clock, host, target, count: pingCount, wait })
    const ttls = [...new Set(result.replies.map(({ hopLimit }) => hopLimit))]
    const isRight = ttl === undefined || ttls.every(one => one === ttl)
    return {
        claim,
        holds: result.replies.length >= replies * pingCount && isRight,
        found: `${result.replies.length} answered, ttl ${ttls.join(", ") || "none"}`,
    }
}

function refused(least: number, { ward }: Simulation): Verdict {
    const { badMac, unknownKid, malformed, unknownFormat, olderBoot, otherSalt, belowWindow, duplicate } = ward.stats()
    const malformedOrUnknown = malformed + unknownFormat
    const count = badMac + unknownKid + malformedOrUnknown + olderBoot + otherSalt + belowWindow + duplicate
    return {
        claim: `the router refuses at least ${least} envelopes, or already has them`,
        holds: count >= least,
        found: `${count}`,
    }
}

function forged({ statistics }: Simulation): Verdict {
    const { forged } = statistics
    return { claim: "no forged reading is in the clinic", holds: forged === 0, found: `${forged}` }
}

function percent(share: number): string {
    return `${Number((100 * share).toFixed(1))} %`
}
