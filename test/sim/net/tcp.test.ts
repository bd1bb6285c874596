import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { ByteStream } from "../../../host/stream.ts"
import { decodeIpv6, encodeIpv6, parseAddress, type Ipv6Packet } from "../../../sim/net/ipv6.ts"
import { Tcp } from "../../../sim/net/tcp.ts"
import { seededRandom } from "../../../sim/time/random.ts"
import { VirtualClock } from "../../../sim/time/clock.ts"

const here = parseAddress("fd00::1")
const there = parseAddress("fd00::2")

interface Faults {
    seed: number
    /** Shares of packets. */
    lost: number
    doubled: number
    delayMs: number
}

/** Two hosts with a bad path in between. */
function hosts({ seed, lost, doubled, delayMs }: Faults) {
    const clock = new VirtualClock(0)
    const random = seededRandom(seed)
    const path = (to: () => Tcp) => (packet: Ipv6Packet) => {
        const bytes = encodeIpv6(packet)
        const copies = random() < lost ? 0 : random() < doubled ? 2 : 1
        for (let i = 0; i < copies; i++) clock.schedule(() => to().receive(decodeIpv6(bytes)), 5 + delayMs * random())
    }
    const client: Tcp = new Tcp({ events: clock, random, send: path(() => server) })
    const server: Tcp = new Tcp({ events: clock, random, send: path(() => client) })
    return { clock, client, server }
}

function collect(stream: ByteStream): { bytes: number[]; closed: boolean } {
    const got = { bytes: [] as number[], closed: false }
    stream.listen({
        data: bytes => void got.bytes.push(...bytes),
        closed: () => void (got.closed = true),
    })
    return got
}

test("whatever is lost, doubled or late on the way: the bytes arrive, all of them, in order", async () => {
    await fc.assert(
        fc.asyncProperty(
            fc.record({
                seed: fc.nat(),
                lost: fc.double({ min: 0, max: 0.3, noNaN: true }),
                doubled: fc.double({ min: 0, max: 0.3, noNaN: true }),
                delayMs: fc.integer({ min: 0, max: 400 }),
            }),
            fc.array(fc.uint8Array({ minLength: 1, maxLength: 900 }), { maxLength: 8 }),
            async (faults, pieces) => {
                const { clock, client, server } = hosts(faults)
                let echoed: { bytes: number[]; closed: boolean } | undefined
                server.listen(5683, stream => {
                    stream.listen({
                        data: bytes => stream.write(bytes),
                        closed: () => {},
                    })
                })
                let stream: ByteStream | undefined
                client.connect(here, there, 5683).then(
                    opened => {
                        stream = opened
                        echoed = collect(opened)
                    },
                    () => {},
                )
                await clock.run(600_000, () => stream !== undefined)
                if (!stream) return // nine of ten lost in a row: nobody could have opened it
                const sent: number[] = []
                for (const piece of pieces) {
                    stream.write(piece)
                    sent.push(...piece)
                    await clock.run(300)
                }
                await clock.run(1_200_000, () => echoed!.bytes.length >= sent.length)
                assert.deepEqual(echoed!.bytes, sent)
                stream.end()
                await clock.run(1_200_000, () => echoed!.closed)
                assert.ok(echoed!.closed)
            },
        ),
        { numRuns: 60 },
    )
})

test("nobody listens: refused at once; nobody answers: given up", async () => {
    const { clock, client, server } = hosts({ seed: 1, lost: 0, doubled: 0, delayMs: 0 })
    let refusedMs = Infinity
    client.connect(here, there, 7).catch(() => (refusedMs = clock.now()))
    await clock.run(1000)
    assert.ok(refusedMs < 100)
    server.stop()
    const dead = hosts({ seed: 1, lost: 1, doubled: 0, delayMs: 0 })
    let isGivenUp = false
    dead.client.connect(here, there, 7).catch(() => (isGivenUp = true))
    await dead.clock.run(3_600_000)
    assert.ok(isGivenUp)
})

test("a reset from somebody who does not know the sequence numbers is ignored", async () => {
    const { clock, client, server } = hosts({ seed: 1, lost: 0, doubled: 0, delayMs: 0 })
    let accepted: { bytes: number[]; closed: boolean } | undefined
    server.listen(5683, stream => (accepted = collect(stream)))
    let stream: ByteStream | undefined
    void client.connect(here, there, 5683).then(opened => (stream = opened))
    await clock.run(1000)
    // The ends are guessed right, the numbers are not.
    const forger = new Tcp({
        events: clock,
        random: seededRandom(9),
        send: packet => server.receive({ ...packet, source: here }),
    })
    const forged = await Promise.race([
        forger.connect(here, there, 5683).catch(() => undefined),
        clock.run(2000).then(() => undefined),
    ])
    assert.ok(forged === undefined || forged !== stream)
    stream!.write(Uint8Array.of(1, 2, 3))
    await clock.run(1000)
    assert.deepEqual(accepted!.bytes, [1, 2, 3])
    assert.equal(accepted!.closed, false)
})
