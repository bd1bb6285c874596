import assert from "node:assert/strict"
import { test } from "node:test"
import { Decoder } from "../../../sim/capture/decode.ts"
import { encodeEcho, IcmpType } from "../../../sim/net/icmpv6.ts"
import type { Sent } from "../../../sim/net/node.ts"
import { DaoSender } from "../../../sim/net/rpl/dao-sender.ts"
import { decodeDao, encodeDao, type Dao } from "../../../sim/net/rpl/messages.ts"
import { storing } from "../../../sim/net/rpl/profile.ts"
import { defaultShadowing, logNormal } from "../../../sim/radio/media/shadowing.ts"
import { seededRandom } from "../../../sim/time/random.ts"
import { VirtualClock } from "../../../sim/time/clock.ts"
import { grid, Network } from "./network.ts"

const receiver = addressOf(1)

function addressOf(id: number): Uint8Array {
    const address = new Uint8Array(16)
    address[0] = 0xaa
    address[15] = id
    return address
}

/** A sender whose DAOs are collected; `takes` says whether the link takes them. */
function collected({ takes = true } = {}) {
    const clock = new VirtualClock(0)
    const daos: { dao: Dao; atMs: number }[] = []
    const link = { takes }
    const sender = new DaoSender({
        events: clock,
        random: seededRandom(1),
        profile: storing,
        send: ({ body }, _receiver, sent: Sent) => {
            daos.push({ dao: decodeDao(body), atMs: clock.now() })
            sent(link.takes)
        },
        failed: () => assert.fail("given up"),
    })
    const below = (id: number, pathSequence: number, lifetime = 255) =>
        sender.advertise({ target: addressOf(id), lifetime, receiver }, pathSequence)
    const targets = () => daos.map(({ dao }) => dao.targets.map(({ address }) => address[15]))
    return { clock, sender, daos, link, below, targets }
}

test("DAO: targets with the same transit information share one option; read, they are as before", () => {
    const target = (id: number, pathSequence: number) => ({
        ...{ length: 128, address: addressOf(id), lifetime: 255 },
        ...{ pathSequence, pathControl: 0 },
    })
    const dao = {
        ...{ instance: 30, ackRequested: false, sequence: 1 },
        targets: [target(2, 241), target(3, 241), target(4, 250)],
    }
    const body = encodeDao(dao)
    // RFC 6550 §6.7.7 and §6.7.8: 20 bytes a target, 6 a transit option.
    assert.equal(body.length, 4 + 3 * 20 + 2 * 6)
    assert.deepEqual(decodeDao(body), dao)
})

test("DAO: what comes from several nodes goes on together, six in one", async () => {
    const { clock, below, targets } = collected()
    for (let id = 2; id <= 9; id++) below(id, 241)
    await clock.run(5000)
    assert.deepEqual(targets(), [
        [2, 3, 4, 5, 6, 7],
        [8, 9],
    ])
})

test("DAO: the parent is told nothing twice, but what is new", async () => {
    const { clock, sender, below, targets } = collected()
    below(2, 241)
    await clock.run(5000)
    below(2, 241)
    below(3, 241, 0) // a way that it never heard of
    await clock.run(5000)
    assert.deepEqual(targets(), [[2]])
    below(2, 242)
    await clock.run(5000)
    assert.deepEqual(targets(), [[2], [2]])
    // Gone and back by another way before anything was said of it.
    below(2, 242, 0)
    below(2, 242)
    await clock.run(5000)
    assert.equal(targets().length, 2)
    below(2, 242, 0)
    await clock.run(5000)
    assert.equal(targets().length, 3)
    // Another parent, or this one asks to be told again.
    below(4, 241)
    await clock.run(5000)
    sender.forget()
    below(4, 241)
    await clock.run(5000)
    assert.deepEqual(targets().slice(3), [[4], [4]])
})

test("DAO: where the link does not take it, it is said again, less and less often, until it does", async () => {
    const { clock, daos, link, below } = collected({ takes: false })
    below(2, 241)
    await clock.run(120_000)
    const pauses = daos.slice(1).map(({ atMs }, i) => atMs - daos[i]!.atMs)
    assert.ok(daos.length >= 6 && daos.length <= 14, `${daos.length}`)
    assert.ok(pauses[0]! <= 3000 && pauses.slice(3).every(ms => ms >= 8000), pauses.join())
    link.takes = true
    await clock.run(30_000)
    const { length } = daos
    await clock.run(60_000)
    assert.equal(daos.length, length)
})

test("a hundred nodes near each other that say more than the channel carries: parents stay, and DAOs are the smaller part", async () => {
    let daos = 0
    let frames = 0
    const decoder = new Decoder([new Uint8Array([0xaa, 0xaa, 0, 0, 0, 0, 0, 0])])
    const network = new Network({
        profile: storing,
        medium: logNormal({ ...defaultShadowing, seed: 1 }),
        positions: grid(10, 10, 10),
        observer: {
            sent: (_from, frame, startMs) => {
                frames++
                if (decoder.decode(frame, startMs).text.includes("DAO ")) daos++
            },
        },
    })
    const { clock, nodes, host } = network
    const changes = () => [...nodes.values()].reduce((n, { rpl }) => n + rpl.parentChanges, 0)
    await network.run(30)
    daos = frames = 0
    const before = changes()
    const random = seededRandom(1)
    for (let sequence = 1; sequence <= 10; sequence++)
        for (const { ipv6 } of nodes.values()) {
            const echo = encodeEcho(IcmpType.echoRequest, {
                ...{ identifier: 1, sequence, data: new Uint8Array(200) },
            })
            clock.schedule(() => ipv6.sendIcmp(echo, host.address), 2000 * (sequence + random()))
        }
    await network.run(22)
    // A network that busy loses most; what it must not do is to blame the links and talk of nothing else.
    assert.ok(daos <= 0.2 * frames, `${daos} DAOs of ${frames} frames`)
    assert.ok(changes() - before <= 400, `${changes() - before} changes`)
    await network.run(60)
    assert.ok(network.isRight(), network.describe())
})
