import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeEcho, IcmpType } from "../../../sim/net/icmpv6.ts"
import { encodeDao, RplCode } from "../../../sim/net/rpl/messages.ts"
import { nonStoring, profileOf, storing, type RplProfile } from "../../../sim/net/rpl/profile.ts"
import { infiniteRank } from "../../../sim/net/rpl/neighbour.ts"
import { directedGraph, type Link } from "../../../sim/radio/media/graph.ts"
import { grid, lossy, Network } from "./network.ts"

const modes: [string, RplProfile][] = [
    ["storing", storing],
    ["non-storing", nonStoring],
    ["storing with OF0", profileOf("storing", "of0")],
]

/** A quiet parent is asked every so often; then it takes some tries, a DAO and what that waits for. */
function noticedWithinS({ probingMs }: RplProfile): number {
    return (2.5 * probingMs) / 1000 + 30
}

/** Links both ways between nodes that follow one another. */
function chain(...ids: number[]): Link[] {
    return ids.slice(1).flatMap((to, i) => both(ids[i]!, to))
}

function both(a: number, b: number): Link[] {
    return [
        { from: a, to: b, ratio: 1 },
        { from: b, to: a, ratio: 1 },
    ]
}

const nowhere = (count: number) => Array.from({ length: count }, () => ({ x: 0, y: 0 }))

/** A diamond: 4 reaches the border router over 2 or over 3. */
const diamond = [...chain(1, 2, 4), ...chain(1, 3, 4), ...both(2, 3)]

async function settled(network: Network, withinS = 120): Promise<void> {
    const seconds = await network.secondsUntil(() => network.isRight(), withinS)
    assert.ok(seconds < Infinity, `never settled: ${network.describe()}`)
}

for (const [mode, profile] of modes) {
    for (const size of [3, 4, 5])
        test(`${mode}, ${size}×${size} nodes, every fifth frame lost: all join, 95 % of pings arrive`, async () => {
            for (const seed of [1, 2]) {
                const positions = grid(size, size)
                const network = new Network({ profile, seed, medium: lossy(0.2), positions })
                await settled(network, 60)
                await network.run(30)
                const answered = await network.pingAll(3)
                assert.ok(answered >= 0.95, `seed ${seed}: ${answered}`)
                await settled(network, 30)
            }
        })

    test(`${mode}: a dead parent of a node that has something to say is replaced within 20 s`, async () => {
        const medium = directedGraph(diamond)
        const network = new Network({ profile, medium, positions: nowhere(4) })
        await settled(network)
        const dead = network.parentOf(4)!
        const { tcp, ipv6 } = network.nodes.get(4)!
        network.host.tcp.listen(7, stream => {
            stream.listen({ data: bytes => stream.write(bytes), closed: () => {} })
        })
        const stream = await Promise.all([
            tcp.connect(ipv6.addresses[0]!, network.host.address, 7),
            network.run(5),
        ]).then(([opened]) => opened)
        let echoed = 0
        stream.listen({ data: bytes => (echoed += bytes.length), closed: () => {} })
        network.kill(dead)
        const began = network.clock.now()
        stream.write(new Uint8Array(100))
        const seconds = await network.secondsUntil(() => echoed === 100, 60)
        assert.ok(seconds <= 20, `${seconds} s`)
        assert.notEqual(network.parentOf(4), dead)
        await network.run(20 - (network.clock.now() - began) / 1000)
        assert.ok(network.isRightFor(4), network.describe())
    })

    test(`${mode}: also where nobody speaks`, async () => {
        const network = new Network({
            profile,
            medium: directedGraph(diamond),
            positions: nowhere(4),
        })
        await settled(network)
        network.kill(network.parentOf(4)!)
        await settled(network, noticedWithinS(profile))
        assert.equal(await network.pingAll(3), 1)
    })

    test(`${mode}: a node on the way reboots, and all is as before`, async () => {
        const network = new Network({
            profile,
            medium: directedGraph(chain(1, 2, 3, 4)),
            positions: nowhere(4),
        })
        await settled(network)
        await network.run(60)
        network.kill(2)
        await network.run(1)
        network.start(2)
        await settled(network, 60)
        assert.equal(await network.pingAll(3), 1)
    })

    test(`${mode}: the border router reboots`, async () => {
        const network = new Network({
            profile,
            medium: directedGraph(chain(1, 2, 3)),
            positions: nowhere(3),
        })
        await settled(network)
        network.root.rpl.repair()
        network.root.rpl.repair()
        await network.run(30)
        network.restartRoot()
        await settled(network, noticedWithinS(profile))
        assert.equal(await network.pingAll(3), 1)
    })

    test(`${mode}: a node that goes elsewhere is found there`, async () => {
        const positions = [...grid(4, 1, 40), { x: 0, y: 30 }]
        const network = new Network({ profile, positions })
        await settled(network)
        assert.equal(network.parentOf(5), 1)
        network.move(5, { x: 120, y: 35 })
        await network.secondsUntil(() => network.parentOf(5) !== 1, noticedWithinS(profile))
        await settled(network, 60)
        assert.equal(network.pathUp(5)!.length, 4)
        assert.equal((await network.ping(5, 3)).replies[0]?.hopLimit, 60)
        network.move(5, { x: 0, y: 30 })
        const isBack = () => network.parentOf(5) === 1
        await network.secondsUntil(isBack, noticedWithinS(profile))
        await settled(network, 60)
        assert.equal((await network.ping(5, 3)).replies.length, 3)
    })

    test(`${mode}: cut off, two nodes do not take each other for a way; the link comes back, and they do`, async () => {
        const links = chain(1, 2, 3)
        const network = new Network({
            profile,
            medium: directedGraph(links),
            positions: nowhere(3),
        })
        await settled(network)
        network.air.medium = directedGraph(both(2, 3))
        const isCutOff = () => [...network.nodes.values()].every(({ rpl }) => rpl.rank === infiniteRank && !rpl.parent)
        const seconds = await network.secondsUntil(isCutOff, noticedWithinS(profile))
        assert.ok(seconds < Infinity, network.describe())
        await network.run(120)
        assert.ok(isCutOff(), network.describe())
        network.air.medium = directedGraph(links)
        await settled(network, 90)
        assert.equal(await network.pingAll(2), 1)
    })

    test(`${mode}: the border router repairs everything; nobody stays with the version of before`, async () => {
        const network = new Network({ profile, medium: lossy(0.1), positions: grid(3, 3) })
        await settled(network)
        network.root.rpl.repair()
        await network.run(30)
        await settled(network, 60)
        const versions = [...network.nodes.values()].map(({ rpl }) => rpl.version)
        assert.deepEqual(new Set(versions), new Set([network.root.rpl.version]))
    })

    test(`${mode}: nodes reach each other, by way of whom they have in common`, async () => {
        const network = new Network({
            profile,
            medium: directedGraph([...chain(1, 2, 3, 5), ...chain(2, 4, 6)]),
            positions: nowhere(6),
        })
        await settled(network)
        await network.run(10)
        const from = network.nodes.get(5)!
        const hopLimits: number[] = []
        from.ipv6.onIcmp(IcmpType.echoReply, (_message, { hopLimit }) => hopLimits.push(hopLimit))
        for (let sequence = 1; sequence <= 3; sequence++) {
            const echo = { identifier: 1, sequence, data: new Uint8Array(8) }
            from.ipv6.sendIcmp(encodeEcho(IcmpType.echoRequest, echo), network.address(6))
            await network.run(3)
        }
        // 6, 4, 2, 3, 5 where nodes store routes; otherwise up to the border router first.
        const ways = profile.mode.name === "storing" ? 64 - 3 : 64 - 5
        assert.deepEqual(hopLimits, [ways, ways, ways])
        assert.deepEqual(network.dropped, {})
    })
}

test("storing: a way down that is lost on the way is noticed, and the packet finds the other one", async () => {
    const network = new Network({
        profile: storing,
        medium: directedGraph(diamond),
        positions: nowhere(4),
    })
    await settled(network)
    const via = network.parentOf(4)!
    // As if a No-Path had reached the node there, and nobody above.
    network.nodes.get(via)!.rpl.routes.delete(network.address(4))
    const { replies } = await network.ping(4, 1, 2000)
    assert.equal(replies.length, 0)
    assert.equal(network.root.rpl.routes.get(network.address(4)), undefined)
    await settled(network, storing.daoRefreshMs / 1000 + 10)
    assert.equal((await network.ping(4, 2)).replies.length, 2)
})

test("storing: news of where a node was before does not undo where it is", async () => {
    const network = new Network({
        profile: storing,
        medium: directedGraph(diamond),
        positions: nowhere(4),
    })
    await settled(network)
    const before = network.parentOf(4)!
    const old = network.nodes.get(before)!
    const stale = old.rpl.routes.get(network.address(4))!
    const isLost = ({ from, to }: Link) => [from, to].includes(4) && [from, to].includes(before)
    network.air.medium = directedGraph(diamond.filter(link => !isLost(link)))
    const isElsewhere = () => network.parentOf(4) !== before && network.isRight()
    await network.run(noticedWithinS(storing), isElsewhere)
    const now = network.parentOf(4)!
    assert.notEqual(now, before)
    // The former parent still believes what it heard, and says so again.
    const { target, pathSequence } = stale
    const told = { length: 128, address: target, lifetime: 255, pathSequence, pathControl: 0 }
    const dao = { instance: storing.instance, ackRequested: false, sequence: 77, targets: [told] }
    const body = encodeDao(dao)
    old.ipv6.sendIcmp({ type: IcmpType.rpl, code: RplCode.dao, body }, old.rpl.parent!.address)
    await network.run(1)
    assert.equal(network.root.rpl.routes.get(network.address(4))?.nextHop[15], now)
})
