import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { ByteStream } from "../../host/stream.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { dhcpReply } from "../../emulator/wifi/dhcp.ts"
import { dnsReply } from "../../emulator/wifi/dns.ts"
import { WifiRouter } from "../../emulator/wifi/network.ts"
import * as packets from "../../emulator/wifi/packets.ts"

const stationMac = Uint8Array.of(2, 0, 0, 0, 0, 7)
const station = 0x0a4d0002
const server = 0x0a4d0001
const { ACK, FIN, PSH, RST, SYN } = packets

test("packets are read as they were written; damaged and cut ones are none", () => {
    const byte = fc.uint8Array({ maxLength: 60 })
    fc.assert(
        fc.property(
            fc.nat(0xffffffff),
            fc.nat(0xffffffff),
            fc.nat(0xffff),
            byte,
            fc.nat(200),
            (from, to, port, data, at) => {
                const segment = {
                    fromPort: port,
                    toPort: 5683,
                    sequence: from,
                    acknowledged: to,
                    flags: PSH | ACK,
                    window: 99,
                }
                const tcp = packets.writeTcp({ ...segment, payload: Buffer.from(data) }, from, to)
                const bytes = packets.writeIpv4({ protocol: packets.TCP, from, to, payload: tcp })
                const read = packets.readTcp(packets.readIpv4(bytes)!)!
                assert.deepEqual(
                    { ...read, payload: undefined, mss: undefined },
                    { ...segment, payload: undefined, mss: undefined },
                )
                assert.deepEqual(Buffer.from(read.payload), Buffer.from(data))
                const damaged = Buffer.from(bytes)
                damaged[at % bytes.length]! ^= 0x40
                const packet = packets.readIpv4(damaged)
                assert.ok(!packet || !packets.readTcp(packet) || packet.protocol !== packets.TCP)
                assert.equal(packets.readIpv4(bytes.subarray(0, at % bytes.length)), undefined)
            },
        ),
    )
})

test("whatever a mote sends, DHCP and DNS answer or do not, and never throw", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
            dhcpReply(Buffer.from(bytes), { server, client: station })
            dnsReply(Buffer.from(bytes), () => 1, 0)
            new WifiRouter({ clock: new VirtualClock(), connect: () => Promise.reject(new Error()) }).receive(bytes)
        }),
    )
})

test("DHCP: an offer, then the address that was asked for", () => {
    const request = Buffer.alloc(244, 0)
    request.set([1, 1, 6, 0, 1, 2, 3, 4])
    request.set(stationMac, 28)
    request.writeUInt32BE(0x63825363, 236)
    for (const [type, answer] of [
        [1, 2],
        [3, 5],
    ]) {
        request.set([53, 1, type!, 255], 240)
        const reply = dhcpReply(request, { server, client: station })!
        assert.deepEqual(reply.subarray(4, 8), request.subarray(4, 8))
        assert.equal(reply.readUInt32BE(16), station)
        assert.deepEqual([...reply.subarray(240, 243)], [53, 1, answer])
    }
})

const query = Buffer.from("1234010000010000000000000672" + "6f75746572036c616e0000010001", "hex")

test("DNS: an address with its time to live, or no such name", () => {
    const answer = dnsReply(query, name => (name === "router.lan" ? 0x0a4d8000 : undefined), 60)!
    assert.equal(answer.readUInt16BE(0), 0x1234)
    assert.equal(answer.readUInt16BE(6), 1)
    assert.equal(answer.readUInt32BE(answer.length - 10), 60)
    assert.equal(answer.readUInt32BE(answer.length - 4), 0x0a4d8000)
    assert.equal(dnsReply(query, () => undefined, 0)!.readUInt16BE(2) & 15, 3)
})

/** A mote's TCP, by hand. */
class Station {
    readonly clock = new VirtualClock()
    readonly heard: packets.Segment[] = []
    readonly streams: ByteStream[] = []
    readonly hosts: string[] = []
    /** Segments to the mote that get lost on the way. */
    losses = 0
    readonly router = new WifiRouter({
        clock: this.clock,
        connect: (host, port) => {
            this.hosts.push(`${host}:${port}`)
            if (port === 9) return Promise.reject(new Error("refused"))
            const [near, far] = pipe(this.clock)
            this.streams.push(far)
            return Promise.resolve(near)
        },
    })

    constructor() {
        this.router.onFrame = frame => {
            const packet = packets.readIpv4(packets.readEthernet(frame)!.payload)
            const segment = packet?.protocol === packets.TCP ? packets.readTcp(packet) : undefined
            if (segment && this.losses > 0) this.losses--
            else if (segment) this.heard.push(segment)
        }
    }

    async send(flags: number, sequence: number, acknowledged = 0, text = "", window = 1000, toPort = 5683) {
        const payload = Buffer.from(text)
        const segment = { fromPort: 1024, toPort, sequence, acknowledged, flags, window, payload, mss: undefined }
        const tcp = packets.writeTcp({ ...segment, ...(flags & SYN && { mss: 100 }) }, station, 0x0a4d8000)
        const ip = packets.writeIpv4({ protocol: packets.TCP, from: station, to: 0x0a4d8000, payload: tcp })
        this.router.receive(packets.writeEthernet(stationMac, stationMac, packets.IPV4, ip))
        await this.clock.run(20)
    }

    /** @returns the sequence number that the router's end begins with */
    async open(): Promise<number> {
        await this.send(SYN, 1000)
        const [answer] = this.heard.splice(0)
        assert.equal(answer!.flags, SYN | ACK)
        assert.equal(answer!.acknowledged, 1001)
        const first = answer!.sequence + 1
        await this.send(ACK, 1001, first)
        return first
    }
}

test("TCP: a connection to whom the name stands for, bytes both ways, and an end", async () => {
    const s = new Station()
    const first = await s.open()
    assert.deepEqual(s.hosts, ["10.77.128.0:5683"])
    const received: string[] = []
    let isClosed = false
    s.streams[0]!.listen({
        data: bytes => received.push(Buffer.from(bytes).toString()),
        closed: () => (isClosed = true),
    })
    await s.send(PSH | ACK, 1001, first, "hello")
    assert.deepEqual(received, ["hello"])
    assert.equal(s.heard.at(-1)!.acknowledged, 1006)
    await s.send(PSH | ACK, 1001, first, "hello") // once more: it is acknowledged, and not taken twice
    assert.deepEqual(received, ["hello"])
    s.heard.length = 0
    s.streams[0]!.write(Buffer.alloc(250, "x"))
    await s.clock.run(20)
    assert.deepEqual(
        s.heard.map(({ payload }) => payload.length),
        [100, 100, 50], // the mote's segments
    )
    await s.send(ACK, 1006, first + 250)
    await s.send(FIN | ACK, 1006, first + 250)
    assert.ok(isClosed)
    assert.ok(s.heard.some(({ flags }) => flags & FIN))
})

test("TCP: what the mote does not acknowledge comes again; a window of 0 is waited for", async () => {
    const s = new Station()
    const first = await s.open()
    s.losses = 1
    s.streams[0]!.write(Buffer.from("lost"))
    await s.clock.run(20)
    assert.equal(s.heard.length, 0)
    await s.clock.run(1500)
    assert.equal(s.heard[0]!.payload.toString(), "lost")
    await s.send(ACK, 1001, first + 4, "", 0)
    s.heard.length = 0
    s.streams[0]!.write(Buffer.from("later"))
    await s.clock.run(20)
    assert.equal(s.heard.length, 0)
    await s.send(ACK, 1001, first + 4, "", 1000)
    assert.equal(s.heard[0]!.payload.toString(), "later")
})

test("TCP: nobody there is a reset, and so is a connection that nobody remembers", async () => {
    const s = new Station()
    await s.send(SYN, 1, 0, "", 1000, 9)
    assert.equal(s.heard[0]!.flags & RST, RST)
    await s.send(ACK, 5, 7)
    assert.equal(s.heard[1]!.flags & RST, RST)
    const other = new Station()
    await other.open()
    let isClosed = false
    other.streams[0]!.listen({ data: () => {}, closed: () => (isClosed = true) })
    await other.send(RST, 1001)
    assert.ok(isClosed)
})
