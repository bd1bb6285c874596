import assert from "node:assert/strict"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { CaptureWriter } from "../../sim/capture/writer.ts"
import { ping } from "../../sim/mesh/ping.ts"
import { loadScenario } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { temporaryFolder } from "../support/folder.ts"
import { dissect, hasTshark, suspiciousFrames } from "../support/tshark.ts"

/** The paper's network with its firmware for a while, then mote 4 is pinged. */
async function capture(t: TestContext, mode: "storing" | "non-storing") {
    const scenario = { ...loadScenario("paper"), network: { mode, prefix: "aaaa::" } }
    // With others the first frames between good neighbours collide, which costs mote 4 two hops: RPL without probing is slow to forget.
    const simulation = await Simulation.start(scenario, { seed: 3 })
    t.after(() => simulation.stop())
    const folder = temporaryFolder(t)
    const [file, withRssi] = [join(folder, "sent.pcap"), join(folder, "received.pcap")]
    const writers = [new CaptureWriter(file), new CaptureWriter(withRssi, true)]
    for (const writer of writers) simulation.observers.add(writer)
    await simulation.run(45)
    const { clock, host } = simulation
    const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
    const target = simulation.node(4)!.ipv6.addresses[0]!
    const { replies } = await ping({ events: clock, host, target, count: 5, wait })
    for (const writer of writers) writer.close()
    return { file, withRssi, replies, minHopRankIncrease: simulation.profile.minHopRankIncrease }
}

for (const mode of ["storing", "non-storing"] as const)
    test(`tshark finds nothing wrong in the paper's network, ${mode}, and reads what it should`, async t => {
        if (!hasTshark) return t.skip("needs tshark")
        const { file, withRssi, replies, minHopRankIncrease } = await capture(t, mode)
        for (const name of [file, withRssi]) assert.deepEqual(suspiciousFrames(name), [])

        assert.ok(replies.length >= 4)
        assert.deepEqual(new Set(replies.map(({ hopLimit }) => hopLimit)), new Set([61]))

        // On the way down and up again each hop takes one off the hop limit.
        const echoes = dissect(file, "icmpv6.type==128 || icmpv6.type==129", [
            "icmpv6.type",
            "icmpv6.echo.sequence_number",
            "ipv6.hlim",
            "wpan.src64",
        ])
        for (const [type, limits] of [
            ["128", ["63", "62", "61"]],
            ["129", ["64", "63", "62"]],
        ] as const) {
            const seen = echoes.filter(([of, sequence]) => of === type && sequence === "1")
            const ways = seen.filter(([, , , from], i) => from !== seen[i - 1]?.[3])
            assert.deepEqual(
                ways.map(([, , limit]) => limit),
                limits,
                `type ${type}`,
            )
        }

        // The RPL option says which way it goes, but for what came back because its route was gone (RFC 6550 11.2.2.3),
        // as while a mote changes its parent: that may try the way up.
        const tagged = dissect(file, "ipv6.opt.rpl.sender_rank && tcp", [
            "ipv6.dst",
            "ipv6.opt.rpl.flag.o",
            "ipv6.opt.rpl.instance_id",
            "ipv6.opt.rpl.sender_rank",
            "tcp.seq_raw",
        ])
        assert.ok(tagged.length > 50)
        const returned = dissect(file, "ipv6.opt.rpl.flag.f==1 && tcp", ["ipv6.dst", "tcp.seq_raw"])
        assert.ok(returned.length <= tagged.length / 20, `${returned.length} forwarding errors`)
        for (const [to, down, instance, rank, sequence] of tagged) {
            const cameBack = returned.some(([dst, number]) => dst === to && number === sequence)
            if (!cameBack) assert.equal(down === "1" || down === "True", to !== "aaaa::1")
            assert.equal(Number(instance), mode === "storing" ? 30 : 0)
            assert.ok(Number(rank) >= 1 && Number(rank) < 40, rank)
        }
        const errors = dissect(file, "ipv6.opt.rpl.flag.r==1", ["frame.number"])
        assert.ok(errors.length <= tagged.length / 20, `${errors.length} rank errors`)

        // Ranks: the border router's is MinHopRankIncrease, everybody else's a step above somebody's.
        const dios = dissect(file, "icmpv6.rpl.dio.rank && icmpv6.rpl.dio.rank != 65535", [
            "wpan.src64",
            "icmpv6.rpl.dio.rank",
            "icmpv6.rpl.dio.flag.mop",
            "icmpv6.rpl.opt.config.min_hop_rank_inc",
        ])
        const root = "00:12:74:01:00:01:01:01"
        const said = new Map<string, number[]>()
        for (const [from, rank, mop, step] of dios) {
            assert.equal(Number(mop), mode === "storing" ? 2 : 1)
            assert.equal(Number(step), minHopRankIncrease)
            said.set(from!, [...(said.get(from!) ?? []), Number(rank)])
        }
        assert.equal(said.size, 9)
        for (const [from, ranks] of said) {
            if (from === root) assert.deepEqual(new Set(ranks), new Set([minHopRankIncrease]))
            else {
                const others = [...said].filter(([other]) => other !== from).flatMap(([, of]) => of)
                const lowest = Math.min(...others)
                for (const rank of ranks) assert.ok(rank >= lowest + minHopRankIncrease)
            }
        }

        if (mode === "non-storing") {
            const routes = dissect(file, "ipv6.routing.segleft && icmpv6.type==128", [
                "ipv6.hlim",
                "ipv6.routing.segleft",
            ])
            for (const [limit, left] of routes) assert.equal(Number(left), Number(limit) - 61)
            assert.ok(routes.length >= 12)
        }

        const strengths = dissect(withRssi, "wpan-tap.rss", ["wpan-tap.rss"])
        assert.ok(strengths.length > 1000)
        for (const [rss] of strengths) assert.ok(Number(rss) <= -10 && Number(rss) >= -95, rss)
    })
