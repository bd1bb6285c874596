import assert from "node:assert/strict"
import { test } from "node:test"
import { RetransmissionTimeout } from "../../../sim/net/retransmission-timeout.ts"
import { Trickle } from "../../../sim/net/rpl/trickle.ts"
import { skyAddress } from "../../../sim/net/sky.ts"
import { Air, byteMs, synchronisationBytes, type Radio } from "../../../sim/radio/air.ts"
import { Csma } from "../../../sim/net/mac/csma.ts"
import { constantLoss } from "../../../sim/radio/media/constant-loss.ts"
import { defaultDisk, unitDisk } from "../../../sim/radio/media/disk.ts"
import { directedGraph } from "../../../sim/radio/media/graph.ts"
import { defaultShadowing, logNormal } from "../../../sim/radio/media/shadowing.ts"
import type { Medium } from "../../../sim/radio/medium.ts"
import { seededRandom } from "../../../sim/time/random.ts"
import { VirtualClock } from "../../../sim/time/clock.ts"

const at = (x: number, id = x) => ({ id, position: { x, y: 0 } })

test("media: near is better than far, beyond the range a frame only disturbs, beyond that it is not there", () => {
    const disk = unitDisk({ ...defaultDisk, rxRatio: 0.5 })
    assert.deepEqual(disk.reception(at(0), at(50)), { probability: 0.5, rssiDbm: -95 })
    assert.equal(disk.reception(at(0), at(25))?.probability, 1 - 0.25 * 0.5)
    assert.equal(disk.reception(at(0), at(60))?.probability, 0)
    assert.equal(disk.reception(at(0), at(101)), undefined)
    const even = constantLoss({ ...defaultDisk, rxRatio: 0.8 })
    assert.equal(even.reception(at(0), at(1))?.probability, 0.8)
    const graph = directedGraph([{ from: 1, to: 2, ratio: 0.3 }])
    assert.equal(graph.reception(at(0, 1), at(0, 2))?.probability, 0.3)
    assert.equal(graph.reception(at(0, 2), at(0, 1)), undefined)
    const walls = logNormal({ ...defaultShadowing, seed: 3 })
    assert.deepEqual(walls.reception(at(0, 1), at(20, 2)), walls.reception(at(20, 2), at(0, 1)))
    assert.equal(walls.reception(at(0, 1), at(5000, 2)), undefined)
})

function airOf(medium: Medium) {
    const clock = new VirtualClock(0)
    const heard: [to: number, from: number][] = []
    const lost: [to: number, collided: boolean][] = []
    const air = new Air({
        events: clock,
        random: seededRandom(1),
        medium,
        observer: {
            received: (to, from) => heard.push([to.id, from.id]),
            lost: (to, _from, _frame, collided) => lost.push([to.id, collided]),
        },
    })
    const radio = (id: number, x: number): Radio => {
        const one = air.add(id, { x, y: 0 })
        one.on()
        return one
    }
    return { clock, air, heard, lost, radio }
}

test("the air: two who do not hear each other spoil both frames in between; a radio that sends is deaf", async () => {
    const { clock, heard, lost, radio } = airOf(unitDisk({ ...defaultDisk, interferenceM: 50 }))
    const [a, b, c] = [radio(1, 0), radio(2, 45), radio(3, 90)]
    const frame = new Uint8Array(50)
    assert.ok(c.isClear())
    a.transmit(frame, () => {})
    assert.ok(c.isClear() && !b.isClear())
    c.transmit(frame, () => {})
    await clock.run(10)
    assert.deepEqual(heard, [])
    assert.deepEqual(lost, [
        [2, true],
        [2, true],
    ])
    a.transmit(frame, () => {})
    b.transmit(frame, () => {})
    await clock.run(10)
    assert.deepEqual(heard, [[3, 2]])
})

test("the air: time in each state is counted; without power nothing is heard, and a frame ends in the middle", async () => {
    const { clock, heard, radio } = airOf(unitDisk(defaultDisk))
    const [a, b] = [radio(1, 0), radio(2, 10)]
    const frame = new Uint8Array(100)
    const ms = (synchronisationBytes + frame.length) * byteMs
    a.transmit(frame, () => {})
    await clock.run(10)
    for (const one of [a, b]) one.settle()
    assert.ok(Math.abs(a.spentMs.transmit - ms) < 1e-9 && Math.abs(b.spentMs.receive - ms) < 1e-9)
    assert.ok(Math.abs(a.spentMs.listen + ms - 10) < 1e-9)
    a.transmit(frame, () => assert.fail("it never ended"))
    await clock.run(1)
    a.off()
    await clock.run(10)
    b.off()
    a.on()
    a.transmit(frame, () => {})
    await clock.run(10)
    assert.equal(heard.length, 1)
    assert.equal(b.state, "off")
})

test("the air: capture lets the much stronger of two frames through, unless it comes when the other is being read", async () => {
    const frame = new Uint8Array(50)
    const run = async (medium: Medium, laterMs: number) => {
        const { clock, heard, lost, radio } = airOf(medium)
        const [far, near] = [radio(1, 0), radio(3, 45)]
        radio(2, 40)
        far.transmit(frame, () => {})
        await clock.run(laterMs)
        near.transmit(frame, () => {})
        await clock.run(10)
        const at = (id: number) => heard.flatMap(([to, from]) => (to === id ? [from] : []))
        return { heard: at(2), lost: lost.filter(([id, collided]) => id === 2 && collided).length }
    }
    const plain = unitDisk(defaultDisk)
    const capturing = { ...plain, captureDb: 3 }
    assert.deepEqual(await run(plain, 0.1), { heard: [], lost: 2 })
    assert.deepEqual(await run(capturing, 0.1), { heard: [3], lost: 1 })
    assert.deepEqual(await run(capturing, 0.5), { heard: [], lost: 2 })
    // 59.5 dB lie between the two.
    assert.deepEqual(await run({ ...plain, captureDb: 60 }, 0.1), { heard: [], lost: 2 })

    // The stronger one is there first: what comes later does not hurt it.
    const { clock, heard, radio } = airOf(capturing)
    const [far, near] = [radio(1, 0), radio(3, 45)]
    radio(2, 40)
    near.transmit(frame, () => {})
    await clock.run(0.5)
    far.transmit(frame, () => {})
    await clock.run(10)
    assert.deepEqual(heard, [[2, 3]])
})

test("the air: a share of the frames never leaves the sender, and another medium has another share", async () => {
    const { clock, air, heard, lost, radio } = airOf(unitDisk({ ...defaultDisk, txRatio: 0.5 }))
    const [a] = [radio(1, 0), radio(2, 10), radio(3, 20)]
    const hundred = async () => {
        heard.length = lost.length = 0
        for (let i = 0; i < 100; i++) {
            a.transmit(new Uint8Array(10), () => {})
            await clock.run(10)
        }
        return heard.length
    }
    const half = await hundred()
    assert.ok(half > 60 && half < 140 && half % 2 === 0, `${half} of 200`)
    assert.equal(lost.length, 200 - half)
    air.medium = constantLoss({ ...defaultDisk, txRatio: 0 })
    assert.equal(await hundred(), 0)
    air.medium = directedGraph([{ from: 1, to: 2, ratio: 1 }])
    assert.equal(await hundred(), 100)
})

test("CSMA: what is lost is sent again and told up once; nobody there is found out after eight times", async () => {
    const links = [
        { from: 1, to: 2, ratio: 0.5 },
        { from: 2, to: 1, ratio: 0.5 },
    ]
    const { clock, radio } = airOf(directedGraph(links))
    const got: number[] = []
    const mac = (id: number) =>
        new Csma({
            events: clock,
            random: seededRandom(id),
            radio: radio(id, 0),
            address: skyAddress(id),
            pan: 1,
            receive: ({ payload }) => got.push(payload[0]!),
        })
    const [a] = [mac(1), mac(2)]
    const results: [boolean, number][] = []
    const send = (destination: number, value: number) =>
        a.send({
            destination: skyAddress(destination),
            payload: Uint8Array.of(value),
            done: (...result) => results.push(result),
        })
    for (let value = 0; value < 100; value++) {
        send(2, value)
        await clock.run(500)
    }
    const delivered = results.filter(([isDelivered]) => isDelivered).length
    assert.ok(delivered > 80, `${delivered}`)
    assert.deepEqual(
        got,
        [...new Set(got)].sort((x, y) => x - y),
    )
    assert.ok(got.length >= delivered)
    results.length = 0
    send(9, 1)
    await clock.run(1000)
    assert.deepEqual(results, [[false, 8]])
    // The queue is bounded, and what nobody wants any more is not sent.
    results.length = 0
    for (let i = 0; i < 20; i++) send(9, 1)
    assert.equal(results.length, 4)
    assert.equal(a.room, 0)
    await clock.run(10_000)
    results.length = 0
    a.send({
        destination: skyAddress(2),
        payload: Uint8Array.of(1),
        isWanted: () => false,
        done: (...result) => results.push(result),
    })
    assert.deepEqual(results, [[false, 0]])
})

test("Trickle: ever more seldom, silent when others say it, quick again after a reset", async () => {
    const clock = new VirtualClock(0)
    const sent: number[] = []
    const timer = new Trickle({
        events: clock,
        random: seededRandom(1),
        minMs: 100,
        doublings: 4,
        redundancy: 1,
        transmit: () => sent.push(clock.now()),
    })
    timer.start()
    await clock.run(100 + 200 + 400 + 800 + 1600)
    assert.equal(sent.length, 5)
    sent.forEach((ms, i) => {
        const begin = 100 * (2 ** i - 1)
        assert.ok(ms >= begin + 50 * 2 ** i && ms < begin + 100 * 2 ** i, `${i}: ${ms}`)
    })
    timer.consistent()
    await clock.run(1600)
    assert.equal(sent.length, 5)
    timer.reset()
    await clock.run(100)
    assert.equal(sent.length, 6)
    timer.stop()
    await clock.run(100_000)
    assert.equal(sent.length, 6)
})

test("RFC 6298: timeouts follow the round trips, double without an answer, and have a least and a most", () => {
    const timeout = new RetransmissionTimeout()
    assert.equal(timeout.ms, 1000)
    timeout.measured(2000)
    assert.equal(timeout.ms, 2000 + 4 * 1000)
    for (let i = 0; i < 100; i++) timeout.measured(100)
    assert.equal(timeout.ms, 500)
    timeout.expired()
    assert.equal(timeout.ms, 1000)
    for (let i = 0; i < 20; i++) timeout.expired()
    assert.equal(timeout.ms, 60_000)
    const late = new RetransmissionTimeout()
    late.openedLate()
    assert.equal(late.ms, 3000)
})
