import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encodeEcho, IcmpType, type IcmpMessage } from "../../../sim/net/icmpv6.ts"
import { broadcast, encodeFrame, fcs, fcsBytes } from "../../../sim/net/mac/ieee802154.ts"
import { encodeIpv6, minMtu, NextHeader, parseAddress } from "../../../sim/net/ipv6.ts"
import { newDodag } from "../../../sim/net/rpl/dodag.ts"
import { encodeDio, RplCode } from "../../../sim/net/rpl/messages.ts"
import { infiniteRank } from "../../../sim/net/rpl/neighbour.ts"
import { nonStoring, storing } from "../../../sim/net/rpl/profile.ts"
import { skyAddress } from "../../../sim/net/sky.ts"
import { grid, Network } from "./network.ts"

/** Frames of all kinds that a network sends: control, pings, fragments, TCP. */
async function recorded(profile: typeof storing): Promise<{ network: Network; frames: Uint8Array[] }> {
    const frames: Uint8Array[] = []
    const network: Network = new Network({
        profile,
        positions: grid(3, 1, 40),
        observer: { sent: (_from, frame) => void (frames.length < 600 && frames.push(frame)) },
    })
    await network.secondsUntil(() => network.isRight(), 60)
    await network.pingAll(8)
    network.host.tcp.listen(7, stream => stream.write(new Uint8Array(300)))
    const { tcp, ipv6 } = network.nodes.get(3)!
    const opened = tcp.connect(ipv6.addresses[0]!, network.host.address, 7)
    await network.run(5)
    const stream = await opened
    stream.write(new Uint8Array(500))
    await network.run(5)
    return { network, frames }
}

for (const profile of [storing, nonStoring])
    test(`${profile.mode.name} mode: true frames with wrong bytes, at every node: nobody falls over, and the network goes on`, async () => {
        const { network, frames } = await recorded(profile)
        assert.ok(frames.length > 100)
        const change = fc.tuple(
            fc.nat(),
            fc.nat(),
            fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
            fc.nat(30),
        )
        await fc.assert(
            fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 10 }), async changes => {
                for (const [which, where, wrong, cut] of changes) {
                    const frame = Uint8Array.from(frames[which % frames.length]!)
                    for (const [at, value] of wrong) frame[at % frame.length] = value
                    const body = frame.subarray(0, Math.max(3, frame.length - fcsBytes - (where % 3 ? 0 : cut)))
                    const sum = fcs(body)
                    const sent = Uint8Array.of(...body, sum & 255, sum >> 8)
                    const nodes = [network.root, ...network.nodes.values()]
                    nodes[where % nodes.length]!.radio.owner!.received(sent, -50)
                }
                await network.run(1)
            }),
            { numRuns: 150 },
        )
        // Whatever they were made to believe wears off; a forged version or rank may take a repair.
        network.root.rpl.repair()
        const seconds = await network.secondsUntil(() => network.isRight(), 300)
        assert.ok(seconds < Infinity, network.describe())
        // One round of DAOs later the last wrong route is gone.
        await network.run(200)
        assert.ok((await network.pingAll(3)) > 0.6, network.describe())
    })

test("tables are bounded, however many neighbours, targets and half packets there seem to be", async () => {
    const network = new Network({ profile: storing, positions: grid(2, 1, 40) })
    await network.secondsUntil(() => network.isRight(), 60)
    const { root } = network
    const dodag = root.ipv6.addresses[0]!
    const common = { version: 240, grounded: false, mode: 2, preference: 0, dtsn: 1, dodag }
    const body = encodeDio({ ...common, instance: storing.instance, rank: 9999 })
    const message: IcmpMessage = { type: IcmpType.rpl, code: RplCode.dio, body }
    for (let n = 1000; n < 3000; n++) {
        const payload = network.frameOf(n, parseAddress("ff02::1a"), message)
        const source = skyAddress(n)
        const frame = encodeFrame({
            type: "data",
            sequence: n & 255,
            pan: 0xabcd,
            destination: broadcast,
            source,
            payload,
        })
        root.radio.owner!.received(frame, -50)
    }
    assert.ok(root.rpl.neighbours.list().length <= 32)
    // Who is needed has kept its place.
    assert.ok(root.rpl.neighbours.list().some(({ address }) => address[15] === 2))
})

test("a DIO with a rank that leaves no room below it, heard twice: the node waits for a better one", async () => {
    const network = new Network({ profile: storing, positions: grid(2, 1, 40) })
    const node = network.nodes.get(2)!
    const prefix = parseAddress("aaaa::").subarray(0, 8)
    const dio = newDodag(storing, network.root.ipv6.addresses[0]!, prefix, 1)
    const body = encodeDio({ ...dio, rank: infiniteRank - 1 })
    const payload = network.frameOf(99, parseAddress("ff02::1a"), { type: IcmpType.rpl, code: RplCode.dio, body })
    for (const sequence of [1, 2]) {
        const frame = { type: "data", pan: 0xabcd, destination: broadcast, source: skyAddress(99), payload } as const
        node.radio.owner!.received(encodeFrame({ ...frame, sequence }), -50)
        assert.equal(node.rpl.parent, undefined)
    }
    assert.ok((await network.secondsUntil(() => network.isRight(), 60)) < Infinity, network.describe())
})

test("from outside: too big a packet is answered with the size that fits, mesh headers are not let in", async () => {
    const network = new Network({ profile: storing, positions: grid(2, 1, 40) })
    await network.secondsUntil(() => network.isRight(), 60)
    const received: IcmpMessage[] = []
    network.host.received = message => void received.push(message)
    const target = network.address(2)
    const echo = encodeEcho(IcmpType.echoRequest, {
        identifier: 1,
        sequence: 1,
        data: new Uint8Array(minMtu),
    })
    network.host.sendIcmp(echo, target)
    await network.run(3)
    assert.equal(received[0]?.type, IcmpType.packetTooBig)
    assert.deepEqual([...received[0].body.subarray(0, 4)], [0, 0, minMtu >> 8, minMtu & 255])

    const small = { ...echo, body: echo.body.subarray(0, 12) }
    network.host.sendIcmp(small, target)
    await network.run(3)
    assert.equal(received[1]?.type, IcmpType.echoReply)
    const extensions = [{ kind: NextHeader.hopByHop, data: Uint8Array.of(0x63, 4, 0x80, 30, 0, 1) }]
    const source = network.host.address
    const packet = {
        hopLimit: 64,
        source,
        destination: target,
        extensions,
        protocol: NextHeader.none,
        payload: new Uint8Array(0),
    }
    network.root.ipv6.inject(encodeIpv6(packet))
    assert.equal(network.dropped["header from outside"], 1)
})

test("ICMPv6 errors: a closed port, an unknown protocol, the end of the hop limit; and not too many of them", async () => {
    const network = new Network({ profile: storing, positions: grid(3, 1, 40) })
    await network.secondsUntil(() => network.isRight(), 60)
    const [node, other] = [network.nodes.get(2)!, network.nodes.get(3)!]
    const received: [number, number][] = []
    for (const type of [IcmpType.unreachable, IcmpType.parameterProblem, IcmpType.timeExceeded])
        node.ipv6.onIcmp(type, ({ code }) => received.push([type, code]))
    const target = { address: network.address(3), port: 9 }
    node.udp.send(Uint8Array.of(1), 5000, target)
    await network.run(1)
    const source = network.address(2)
    const packet = {
        hopLimit: 64,
        source,
        destination: target.address,
        protocol: 99,
        payload: new Uint8Array(8),
    }
    node.ipv6.send(packet)
    await network.run(1)
    assert.deepEqual(received, [
        [IcmpType.unreachable, 4],
        [IcmpType.parameterProblem, 1],
    ])
    const heard: string[] = []
    other.udp.bind(9, (data, from) => {
        heard.push(Buffer.from(data).toString())
        other.udp.send(Buffer.from("pong"), 9, from)
    })
    node.udp.bind(5000, data => heard.push(Buffer.from(data).toString()))
    node.udp.send(Buffer.from("ping"), 5000, target)
    await network.run(1)
    assert.deepEqual(heard, ["ping", "pong"])
    received.length = 0
    other.udp.close(9)
    for (let i = 0; i < 100; i++) {
        node.udp.send(Uint8Array.of(1), 5000, target)
        await network.run(0.02)
    }
    assert.ok(received.length >= 10 && received.length <= 35, `${received.length} errors in 2 s`)
})
