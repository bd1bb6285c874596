import assert from "node:assert/strict"
import { test } from "node:test"
import { addressOf } from "../../router/address.ts"
import { Admission, maxCostOfAddress, maxStrangersOfAddress } from "../../router/admission.ts"
import { ManualClock } from "../support/clock.ts"

/** Peers by name, and which of them had to leave. */
function setUp(max: number) {
    const clock = new ManualClock()
    const admission = new Admission({ clock, max })
    const dropped: string[] = []
    const admit = (peer: string) => admission.admit(peer, () => dropped.push(peer))
    return { clock, admission, dropped, admit }
}

test("an address is what one owner has", () => {
    for (const [peer, address] of [
        ["192.0.2.7:49152", "192.0.2.7"],
        ["::ffff:192.0.2.7:49152", "192.0.2.7"],
        ["2001:db8:0:1::7:49152", "2001:db8:0:1"],
        ["2001:db8:0:1:8000:0:0:9:1", "2001:db8:0:1"],
        ["2001:DB8::1:2", "2001:db8:0:0"],
        ["fe80::1%eth0:5683", "fe80:0:0:0"],
        ["::1:5683", "0:0:0:0"],
        ["mote 4", "mote 4"],
    ] as const)
        assert.equal(addressOf(peer), address, peer)
})

test("who has not said a word leaves first, then strangers, the oldest first; a mote's current connection stays", () => {
    const { admit, dropped, admission } = setUp(4)
    admit("10.0.0.1:1")!.protocolConfirmed()
    admit("10.0.0.2:1")
    admit("10.0.0.3:1")!.login("a")
    admit("10.0.0.4:1")!.protocolConfirmed()
    admit("10.0.0.5:1")!.login("b")
    assert.deepEqual(dropped, ["10.0.0.2:1"])
    admit("10.0.0.6:1")!.login("c")
    admit("10.0.0.7:1")!.login("d")
    assert.deepEqual(dropped, ["10.0.0.2:1", "10.0.0.1:1", "10.0.0.4:1"])
    assert.equal(admit("10.0.0.8:1"), undefined, "four motes are there")
    assert.equal(admission.size, 4)
})

test("one mote has one place that is safe: where it was before may be taken", () => {
    const { admit, dropped } = setUp(3)
    for (const port of [1, 2, 3]) admit(`10.0.0.1:${port}`)!.login("greedy")
    admit("10.0.0.2:1")!.login("other")
    admit("10.0.0.3:1")!.login("third")
    assert.deepEqual(dropped, ["10.0.0.1:1", "10.0.0.1:2"])
    assert.equal(admit("10.0.0.4:1"), undefined)
})

test("one address fills its own share, not that of the others", async () => {
    const { admit, dropped, admission, clock } = setUp(1024)
    for (let port = 0; port < 1030; port++) admit(`10.0.0.1:${port}`)
    assert.equal(admission.size, maxStrangersOfAddress)
    assert.equal(dropped.length, maxCostOfAddress - maxStrangersOfAddress)
    dropped.length = 0
    for (let i = 0; i < 269; i++) {
        const place = admit(`10.0.${1 + (i >> 8)}.${i & 255}:1`)
        place!.login(`mote ${i}`)
    }
    assert.deepEqual(dropped, [])
    await clock.advance(1000)
    admit("10.0.0.1:5000")!.login("a mote at the same address")
    assert.equal(dropped.length, 1)
})

test("strangers of one address cost so much in a second, together; a mote there is let off", async () => {
    const { admit, clock } = setUp(10)
    const [first, second, mote] = [admit("10.0.0.1:1")!, admit("10.0.0.1:2")!, admit("10.0.0.1:3")!]
    mote.login("a")
    assert.equal(first.spend(1000), true)
    assert.equal(second.spend(22), false)
    assert.equal(second.spend(21), true)
    assert.equal(first.spend(1), false)
    assert.equal(admit("10.0.0.1:4"), undefined, "connections cost, too")
    assert.equal(mote.spend(1), true)
    assert.equal(admit("10.0.0.2:1")!.spend(1), true)
    await clock.advance(1000)
    assert.equal(first.spend(1), true)
})

test("who leaves makes room, once", () => {
    const { admit, admission, dropped } = setUp(1)
    const place = admit("10.0.0.1:1")!
    place.login("a")
    place.leave()
    place.leave()
    assert.equal(admission.size, 0)
    admit("10.0.0.2:1")!.login("a")
    place.login("a")
    assert.equal(admit("10.0.0.3:1"), undefined, "the one that left has nothing to say")
    assert.deepEqual(dropped, [])
})
