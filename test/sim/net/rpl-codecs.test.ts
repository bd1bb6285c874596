import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { PacketError } from "../../../sim/net/bytes.ts"
import { formatAddress, NextHeader, parseAddress, type Ipv6Packet } from "../../../sim/net/ipv6.ts"
import {
    decodeDao,
    decodeDaoAck,
    decodeDio,
    encodeDao,
    encodeDaoAck,
    encodeDio,
} from "../../../sim/net/rpl/messages.ts"
import { decodeRplOption, encodeRplOption } from "../../../sim/net/rpl/option.ts"
import { isNewer, nextSequence } from "../../../sim/net/rpl/sequence.ts"
import { advanceSourceRoute, decodeSourceRoute, encodeSourceRoute } from "../../../sim/net/source-route.ts"
import { bytes, same, u16, u32, u8, unicast, tail } from "./arbitraries.ts"

test("RPL messages, option and source routes: written and read", () => {
    const configuration = fc.record({
        intervalMin: u8,
        intervalDoublings: u8,
        redundancy: u8,
        maxRankIncrease: u16,
        minHopRankIncrease: fc.integer({ min: 1, max: 0xffff }),
        objective: u16,
        defaultLifetime: u8,
        lifetimeUnitS: u16,
    })
    const prefix = fc.record({
        length: u8,
        flags: u8,
        validS: u32,
        preferredS: u32,
        prefix: bytes(16),
    })
    const dio = fc.record({
        instance: u8,
        version: u8,
        rank: u16,
        grounded: fc.boolean(),
        mode: fc.nat(7),
        preference: fc.nat(7),
        dtsn: u8,
        dodag: bytes(16),
        configuration: fc.option(configuration, { nil: undefined }),
        prefix: fc.option(prefix, { nil: undefined }),
    })
    fc.assert(fc.property(dio, value => same(value as Parameters<typeof encodeDio>[0], encodeDio, decodeDio)))
    const target = fc.record({
        length: fc.constant(128),
        address: bytes(16),
        lifetime: u8,
        pathSequence: u8,
        pathControl: u8,
        parent: fc.option(bytes(16), { nil: undefined }),
    })
    const dao = fc.record({
        instance: u8,
        ackRequested: fc.boolean(),
        sequence: u8,
        dodag: fc.option(bytes(16), { nil: undefined }),
        targets: fc.array(target, { maxLength: 4 }),
    })
    fc.assert(fc.property(dao, value => same(value as Parameters<typeof encodeDao>[0], encodeDao, decodeDao)))
    const ack = fc.record({
        instance: u8,
        sequence: u8,
        status: u8,
        dodag: fc.option(bytes(16), { nil: undefined }),
    })
    fc.assert(fc.property(ack, value => same(value as Parameters<typeof encodeDaoAck>[0], encodeDaoAck, decodeDaoAck)))
    const flags = { down: fc.boolean(), rankError: fc.boolean(), forwardingError: fc.boolean() }
    const option = fc.record({ ...flags, instance: u8, senderRank: u16 })
    fc.assert(fc.property(option, value => same(value, encodeRplOption, b => decodeRplOption(b)!)))
    fc.assert(
        fc.property(tail("aaaa::"), fc.array(fc.oneof(tail("aaaa::"), unicast), { maxLength: 10 }), (to, addresses) => {
            const route = { segmentsLeft: addresses.length, addresses }
            same(
                route,
                r => encodeSourceRoute(r, to),
                b => decodeSourceRoute(b, to),
            )
        }),
    )
})

test("a source route is followed to its end, and not round in circles", () => {
    const address = (n: number) => parseAddress(`aaaa::${n}`)
    const begin = (addresses: Uint8Array[]): Ipv6Packet => ({
        hopLimit: 64,
        source: address(1),
        destination: address(2),
        extensions: [
            {
                kind: NextHeader.routing,
                data: encodeSourceRoute({ segmentsLeft: addresses.length, addresses }, address(2)),
            },
        ],
        protocol: NextHeader.none,
        payload: new Uint8Array(0),
    })
    const visited: string[] = []
    let at: Ipv6Packet | undefined = begin([address(3), address(4)])
    while (at) {
        const here: string = formatAddress(at.destination)
        visited.push(here)
        at = advanceSourceRoute(at, other => formatAddress(other) === here)
    }
    assert.deepEqual(visited, ["aaaa::2", "aaaa::3", "aaaa::4"])
    const round = begin([address(3), address(2)])
    const isOwn = (other: Uint8Array) => formatAddress(other) === "aaaa::2"
    assert.throws(() => advanceSourceRoute(round, isOwn), PacketError)
    const toAll = begin([parseAddress("ff02::1")])
    assert.throws(() => advanceSourceRoute(toAll, () => false), PacketError)
})

test("sequence counters: each is newer than the one before, also after a start and round the end", () => {
    let value = 240
    for (let i = 0; i < 400; i++) {
        const next = nextSequence(value)
        assert.ok(isNewer(next, value) && !isNewer(value, next), `${value} ${next}`)
        value = next
    }
    assert.ok(isNewer(240, 100)) // started anew
    assert.ok(!isNewer(77, 77))
})
