import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test, type TestContext } from "node:test"
import { Runner } from "../../sim/run/runner.ts"
import { parseScenario } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"

const scenario = parseScenario(
    "{ title: two, duration: 60, root: { id: 1, x: 0, y: 0 }, motes: [{ id: 2, x: 30, y: 0 }, { id: 3, x: 60, y: 0 }] }",
    "two.yaml",
)
const untilS = 40

async function start(t: TestContext) {
    const simulation = await Simulation.start(scenario)
    t.after(() => simulation.stop())
    const hash = createHash("sha256")
    let frames = 0
    simulation.observers.add({
        sent: (_from, frame, startMs) => {
            if (startMs - simulation.startMs > 1000 * untilS) return
            frames++
            hash.update(`${startMs} `).update(frame)
        },
    })
    return { simulation, digest: () => `${frames} ${hash.copy().digest("hex")}` }
}

test("however it is cut into pieces, the same frames go out at the same moments", async t => {
    const whole = await start(t)
    await whole.simulation.run(untilS)
    assert.match(whole.digest(), /^\d{2,} /)

    const fast = await start(t)
    await new Runner(fast.simulation).runTo(untilS)
    assert.equal(fast.digest(), whole.digest())

    const cut = await start(t)
    const runner = new Runner(cut.simulation, 50)
    runner.pause()
    const running = runner.runTo(untilS)
    await runner.stepSeconds(0.7)
    for (let i = 0; i < 100; i++) await runner.stepEvent()
    await runner.between(() => assert.ok(cut.simulation.now() > 0.7))
    runner.resume()
    await running
    assert.equal(cut.digest(), whole.digest())
})

test("time stands still while it is paused; a step takes it on, and not further", async t => {
    const { simulation } = await start(t)
    const runner = new Runner(simulation)
    runner.pause()
    const running = runner.runTo(1000)
    assert.equal(await runner.between(() => simulation.now()), 0)
    await runner.stepSeconds(2)
    assert.equal(await runner.between(() => simulation.now()), 2)
    await runner.stepEvent()
    const now = simulation.now()
    assert.ok(now > 2, `${now}`)
    await runner.stepUntil(() => simulation.statistics.of(2).framesSent > 0)
    assert.ok(simulation.statistics.of(2).framesSent > 0)
    const stood = simulation.now()
    await new Promise(resolve => setTimeout(resolve, 60))
    assert.equal(simulation.now(), stood)
    await assert.rejects(
        runner.between(() => Promise.reject(new Error("cannot"))),
        /cannot/,
    )
    runner.stop()
    await running
    assert.equal(simulation.now(), stood)
})

test("a limited speed is not exceeded, and can be changed on the way", async t => {
    const { simulation } = await start(t)
    const runner = new Runner(simulation, 10)
    const began = performance.now()
    await runner.runTo(3)
    assert.ok(performance.now() - began >= 290)
    runner.speed = 0.001
    const running = runner.runTo(20)
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.ok(simulation.now() < 3.1, `${simulation.now()}`)
    runner.speed = undefined
    await running
    assert.ok(simulation.now() >= 20 - 1e-6)
})
