import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { ClinicStatus, MoteStatus, Network, RouterState } from "../../../router/browser/messages.ts"
import { parseNetwork } from "../../../router/status/network.ts"
import { faultsOf } from "../../../router/web/faults.ts"
import { interfaceOf, layout, moteAt } from "../../../router/web/network-layout.ts"

const clinic: ClinicStatus = {
    ...{ name: "", state: "idle", reason: null, oldestMs: null, retryInMs: null, silentMs: 5_000, clockErrorMs: 0 },
    ...{ envelopes: 0, bytes: 0, motes: 1, deadLetters: 0 },
}
const well: RouterState = {
    ...{
        failure: null,
        motes: [],
        deadLetters: [],
        coapPort: 5683,
        maxOutboxBytes: 1000,
        network: null,
        visitor: null,
        targets: null,
    },
    clinics: [clinic],
    conflicts: [],
    ownerless: 0,
    stats: { outbox: 0, outboxBytes: 0, refusedByClinic: 0 },
}
const mote: MoteStatus = {
    ...{ eui: "0000000000000001", transport: "coap", address: "192.0.2.7:1", connectedMs: 1, silentMs: 1_000 },
    ...{ stored: 1, duplicate: 0, perMinute: 6, refused: {}, refusedAgoMs: null, outboxBytes: 0, waiting: [] },
}

test("what is wrong comes first, the worst on top; nothing where nothing is", () => {
    assert.deepEqual(faultsOf(well), [])
    assert.deepEqual(faultsOf({ ...well, motes: [mote] }), [])
    const faults = faultsOf({
        ...well,
        failure: "the outbox is full",
        clinics: [
            {
                ...clinic,
                ...{ state: "retrying", reason: "connect ECONNREFUSED", oldestMs: 300_000, retryInMs: 4_000 },
                ...{ silentMs: 300_000, clockErrorMs: -7_200_000, envelopes: 120, bytes: 900 },
            },
        ],
        stats: { outbox: 120, outboxBytes: 900, refusedByClinic: 300 },
        motes: [
            { ...mote, silentMs: 300_000, transport: null },
            { ...mote, refused: { badMac: 3, keysAwaited: 1 }, refusedAgoMs: 1_000 },
            { ...mote, refused: { badMac: 3 }, refusedAgoMs: 3_600_000 },
        ],
        deadLetters: [
            { reason: "revoked", count: 2, motes: [mote.eui] },
            { reason: "altered", count: 1, motes: [mote.eui, "0000000000000002"] },
        ],
    })
    const levels = faults.map(({ level }) => level)
    assert.deepEqual(levels, ["bad", "bad", "bad", "bad", "warn", "warn", "warn", "warn"])
    const text = faults.map(({ what }) => what).join("\n")
    assert.match(text, /^Nothing can be stored: the outbox is full\.\nThe clinic has not answered for 5 min \(connect/)
    assert.match(text, /120 envelopes wait, the oldest for 5 min\.\nThe outbox is 90 % full\./)
    assert.match(text, /Dead letters, altered: 1 of the oldest 3, from 2 motes\./)
    assert.match(text, /clock is 2 h behind the clinic’s/)
    assert.match(text, /has sent nothing for 5 min, and is not connected\./)
    assert.equal(text.match(/3 refused, wrong MAC/g)?.length, 1)
    assert.doesNotMatch(text, /keys awaited/)
})

test("of several clinics each is named; a mote of two, and envelopes of none, are shown", () => {
    const faults = faultsOf({
        ...well,
        clinics: [
            { ...clinic, name: "north" },
            { ...clinic, name: "south", state: "retrying", reason: "no response in time", bytes: 450, envelopes: 7 },
        ],
        conflicts: [{ eui: mote.eui, clinics: ["north", "south"] }],
        ownerless: 3,
    })
    const text = faults.map(({ what }) => what).join("\n")
    assert.match(text, /^The clinic south has not answered for 5 s \(no response in time\)\. 7 envelopes wait\.\n/)
    assert.match(text, /The clinic south has 90 % of its share of the outbox in use\./)
    assert.match(text, /Mote 0000000000000001 is known to north and to south: its readings go to north only\./)
    assert.match(text, /3 envelopes wait whose motes belong to none of the clinics\./)
})

const address = fc
    .ipV6()
    .map(text => text.toLowerCase())
    .filter(text => !text.includes("."))

test("any network has a picture: each node once, one step below its parent", () => {
    fc.assert(
        fc.property(
            address,
            fc.array(fc.tuple(address, fc.nat(20)), { maxLength: 20 }),
            fc.array(address, { maxLength: 5 }),
            (root, links, near) => {
                const known = [root, ...links.map(([target]) => target)]
                const network: Network = {
                    address: root,
                    neighbours: near.map(one => ({ address: one, rank: 512, etx: 1 })),
                    routes: links.map(([target, via]) => ({ target, via: known[via % known.length]!, lifetimeS: 60 })),
                }
                const { nodes, width, depth } = layout(network)
                const names = nodes.map(({ name }) => name)
                assert.equal(new Set(names).size, names.length)
                for (const one of [...known, ...near]) assert.ok(names.includes(interfaceOf(one)), one)
                for (const { x, y, parent } of nodes) {
                    assert.ok(x >= 0 && x < width && y <= depth)
                    assert.equal(y, parent ? parent.y + 1 : 0)
                }
                assert.deepEqual(parseNetwork(Buffer.from(JSON.stringify(network))), network)
            },
        ),
    )
})

test("a border router's report is read strictly; a mote is found by its address", () => {
    for (const bad of [
        "",
        "{}",
        "[]",
        '{"address":"x","neighbours":[],"routes":[]}',
        '{"address":"fe80::1","neighbours":[]}',
    ])
        assert.throws(() => parseNetwork(Buffer.from(bad)))
    assert.throws(() => parseNetwork(Buffer.from([0xff])))
    assert.equal(interfaceOf("aaaa::212:7404:4:404"), "0212740400040404")
    assert.equal(interfaceOf("fe80::"), "0000000000000000")
    const motes = [mote, { ...mote, eui: "0000000000000002", address: "[aaaa::212:7404:4:404]:49152" }]
    assert.equal(moteAt("0212740400040404", motes), "0000000000000002")
    assert.equal(moteAt("0212740400040405", motes), undefined)
})
