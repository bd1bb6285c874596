// Both transports, and networks that fail, on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { isLong } from "../../support/long.ts"
import { World } from "../../proof/world.ts"
import { checkNonces, live, thrives } from "./silicon.ts"

/** For an envelope after a loss, pauses between attempts included. */
const patienceS = 60
const shortS = 2
const longS = 8

for (const [seed, scheme] of Object.entries({ 4: "coap+tcp", 6: "mqtt" }))
    test(`${scheme}: the router is lost and comes back, again and again`, async t => {
        const world = new World(Number(seed))
        t.after(() => world.close())
        const life = await live(world, { scheme })
        const times = isLong ? 100 : 2
        for (let i = 0; i < times; i++) {
            const before = world.clinic.stored.length
            await life.run(patienceS, () => world.clinic.stored.length > before)
            assert.ok(world.clinic.stored.length > before, `nothing arrives before loss ${i}`)
            world.killRouter()
            await life.run(i % 2 ? shortS : longS)
            world.startRouter()
        }
        await thrives(world, life)
        const arrived = checkNonces(world)
        assert.ok(life.mote.wifi.router.connections > times)
        t.diagnostic(`${times} times; ${arrived} envelopes, ${life.mote.wifi.router.connections} connections`)
    })

test("the access point goes and comes back", async t => {
    const world = new World(5)
    t.after(() => world.close())
    const life = await live(world)
    await life.run(20)
    life.mote.wifi.wifi.setInReach(false)
    await life.run(30)
    life.mote.wifi.wifi.setInReach(true)
    await thrives(world, life)
})
