import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { runProgram } from "../../sim/mote/program.ts"
import { makeConfig } from "../../wire/config.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { isLong } from "../support/long.ts"
import { Attacker, deeds, type Deed } from "./on-path.ts"
import { NonceWatch, World } from "./world.ts"

const runs = isLong ? 60 : 3

/** So long the attacker is at it, in seconds; then there is peace. */
const attackS = 240
const peaceS = 700

test("somebody on the path who does whatever they like: nothing forged is taken, nothing gets lost", async () => {
    const step = fc.record({
        deed: fc.constantFrom(...deeds),
        number: fc.nat(0xffff),
    })
    const plan = fc.array(step, { minLength: 1, maxLength: 60 })
    const property = fc.asyncProperty(fc.nat(), plan, (seed, steps) => attack(seed, steps))
    await fc.assert(property, { numRuns: runs, includeErrorInReport: true })
})

async function attack(seed: number, steps: { deed: Deed; number: number }[]): Promise<void> {
    const world = new World(seed)
    let turn = 0
    const attacker = new Attacker(world.clock, () => steps[turn++ % steps.length]!)
    const nonces = new NonceWatch()
    const { lines, mote, panics, run } = await runProgram("test/src/proof.ts", {
        clock: world.clock,
        random: world.random,
        connect: async () => attacker.between(await world.connect()),
        settings: { ...world.settings, feverFrom: 20, feverTo: 60 },
    })
    try {
        for (let version = 1; version <= 3; version++) {
            const values = { ...defaultConfig, hrHigh: 130 + version }
            const sealedConfig = makeConfig(values, version, world.keys, world.random)
            world.clinic.routerKeys[0] = { ...world.known, config: version, sealedConfig }
            await run(attackS / 3)
        }
        // What was recorded is offered again, on a connection of the attacker's own.
        attacker.replayTo(await world.connect())
        attacker.isActive = false
        await run(peaceS)
        assert.deepEqual(panics, [])
        for (const envelope of attacker.envelopes) nonces.sent(envelope)

        const genuine = new Set(attacker.envelopes.map(bytes => Buffer.from(bytes).toString("hex")))
        for (const hex of world.clinic.stored) assert.ok(genuine.has(hex), "the clinic has a forgery")
        const arrived = world.arrived()
        const numbers = arrived
            .flatMap(({ measurements }) => measurements.filter(({ name }) => name === "hr"))
            .map(({ value }) => Math.round((value - 60) * 10))
            .sort((a, b) => a - b)
        assert.ok(numbers.length > (attackS + peaceS) / 2 - 30, `${numbers.length} readings`)
        assert.deepEqual(
            numbers,
            numbers.map((_, i) => i),
        )
        const seqs = arrived.map(({ seq }) => seq).sort((a, b) => a - b)
        assert.deepEqual(
            seqs,
            seqs.map((_, i) => i),
        )
        const fever = world.alarms().filter(({ kind }) => kind === "temp-high")
        assert.deepEqual([...new Set(fever.map(({ raised }) => raised))], [true, false])

        let version = 0
        for (const line of lines) {
            const [, text, hrHigh] = /config (\d+) (\d+)/.exec(line) ?? []
            if (text === undefined) continue
            assert.equal(Number(hrHigh), 130 + Number(text))
            assert.ok(Number(text) >= version, "an older configuration is in force again")
            version = Number(text)
        }
        assert.equal(version, 3)
    } finally {
        mote.stop()
        world.close()
    }
}
