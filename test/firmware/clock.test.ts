import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { openChannel } from "./channel.ts"

const channel = openChannel("test/src/clock.ts")
const startMs = Date.UTC(2026, 0, 1)

async function ask(question: Uint8Array): Promise<number> {
    return (await (await channel).ask(question)).readDoubleLE()
}

/** What the mote then adds to `millis()`; -1 as long as it does not know. */
const receipt = (unixMs: number, sentMs: number, receivedMs: number) =>
    ask(Buffer.from(Float64Array.of(unixMs, sentMs, receivedMs).buffer))
const reset = () => ask(Uint8Array.of(0))

test("one receipt sets the clock to half of its round trip", async () => {
    assert.equal(await reset(), -1)
    assert.ok(Math.abs((await receipt(startMs, 1000, 1400)) - (startMs - 1200)) <= 1)
})

test("the clock is never further off than the best round trip and the drift since allow", async () => {
    const exchange = fc.record({
        pauseMs: fc.integer({ min: 0, max: 60_000 }),
        thereMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 5_000 })),
        backMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 5_000 })),
    })
    const driftPpm = fc.integer({ min: -150, max: 150 })
    const property = fc.asyncProperty(
        fc.array(exchange, { minLength: 1, maxLength: 15 }),
        driftPpm,
        async (exchanges, ppm) => {
            await reset()
            // The mote's clock runs at its own rate; `true` is what it would have to add.
            const rate = 1 + ppm / 1e6
            let unixMs = startMs
            let bound = Infinity
            for (const { pauseMs, thereMs, backMs } of exchanges) {
                unixMs += pauseMs
                const mote = (at: number) => (at - startMs) * rate
                const sent = mote(unixMs)
                const received = mote(unixMs + thereMs + backMs)
                const shift = await receipt(Math.floor(unixMs + thereMs), sent, received)
                unixMs += thereMs + backMs
                const trip = thereMs + backMs + 2
                bound = Math.min(bound + 0.0004 * (pauseMs + trip), trip)
                const error = shift + received - unixMs
                assert.ok(Math.abs(error) <= bound, `${error} ms off, ${bound} allowed`)
            }
        },
    )
    await fc.assert(property, { numRuns: 60 })
})

test("a router whose clock is set takes the mote along", async () => {
    await reset()
    await receipt(startMs, 1000, 1020)
    const later = await receipt(startMs + 3_600_000, 3000, 3020)
    assert.ok(Math.abs(later - (startMs + 3_600_000 - 3010)) <= 1)
})

test("delayed receipts do not move a clock that is right", async () => {
    await reset()
    await receipt(startMs, 0, 20)
    for (let i = 1; i <= 20; i++) {
        const sent = 10_000 * i
        const shift = await receipt(startMs + sent, sent, sent + 9000)
        assert.ok(Math.abs(shift - (startMs - 10)) < 60, `${shift - startMs}`)
    }
})

test("a router that does not know the time sets none", async () => {
    await reset()
    assert.equal(await receipt(86_400_000, 1000, 1020), -1)
    assert.equal(await receipt(Date.UTC(2150, 0, 1), 1000, 1020), -1)
})
