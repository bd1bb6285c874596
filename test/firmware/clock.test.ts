import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { openChannel } from "./channel.ts"
import { runs } from "../support/long.ts"

const channel = openChannel("test/src/clock.ts")
const startMs = Date.UTC(2026, 0, 1)

async function ask(question: Uint8Array): Promise<number> {
    return (await (await channel).ask(question)).readDoubleLE()
}

/** The mote's resulting clock shift; -1 while it is unknown. */
const receipt = (unixMs: number, sentMs: number, receivedMs: number) =>
    ask(Buffer.from(Float64Array.of(unixMs, sentMs, receivedMs).buffer))
const reset = () => ask(Uint8Array.of(0))
const shiftAt = (atMs: number) => ask(Buffer.from(Float64Array.of(atMs).buffer))

test("one receipt sets the clock to half of its round trip", async () => {
    assert.equal(await reset(), -1)
    assert.ok(Math.abs((await receipt(startMs, 1000, 1400)) - (startMs - 1200)) <= 1)
})

test("the clock error never exceeds the bound from the best round trip and the drift since", async () => {
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
            // The mote's clock has its own rate; `true` is the correct shift.
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
    await fc.assert(property, { numRuns: runs(60) })
})

test("the mote follows when the router's clock is set", async () => {
    await reset()
    await receipt(startMs, 1000, 1020)
    const later = await receipt(startMs + 3_600_000, 3000, 3020)
    assert.ok(Math.abs(later - (startMs + 3_600_000 - 3010)) <= 1)
})

test("delayed receipts do not change a correct clock", async () => {
    await reset()
    await receipt(startMs, 0, 20)
    for (let i = 1; i <= 20; i++) {
        const sent = 10_000 * i
        const shift = await receipt(startMs + sent, sent, sent + 9000)
        assert.ok(Math.abs(shift - (startMs - 10)) < 60, `${shift - startMs}`)
    }
})

test("a router without a valid time does not set the clock", async () => {
    await reset()
    assert.equal(await receipt(86_400_000, 1000, 1020), -1)
    assert.equal(await receipt(Date.UTC(2150, 0, 1), 1000, 1020), -1)
})

/** A mote whose crystal is `ppm` off, and a router that responds within 10 to 60 ms. */
class Session {
    unixMs = startMs
    private rate: number
    /** Start of the current rate, by both clocks. */
    private sinceUnixMs = startMs
    private sinceMoteMs = 5000
    private turn = 0

    constructor(ppm: number) {
        this.rate = 1 + ppm / 1e6
    }

    /** Sets the rate from now on. */
    setRate(ppm: number): void {
        this.sinceMoteMs = this.mote(this.unixMs)
        this.sinceUnixMs = this.unixMs
        this.rate = 1 + ppm / 1e6
    }

    /** `millis()` of the mote at a Unix time. */
    mote(unixMs: number): number {
        return this.sinceMoteMs + (unixMs - this.sinceUnixMs) * this.rate
    }

    /** One exchange every `everyMs`, for `ms`. */
    async exchange(ms: number, everyMs: number): Promise<void> {
        for (const end = this.unixMs + ms; this.unixMs < end; this.unixMs += everyMs) {
            // Either direction may be the slower one.
            const thereMs = 5 + ((this.turn * 17) % 26)
            const backMs = 5 + ((this.turn * 23) % 31)
            this.turn++
            const { unixMs } = this
            await receipt(Math.floor(unixMs + thereMs), this.mote(unixMs), this.mote(unixMs + thereMs + backMs))
        }
    }

    /** Clock error of the mote for a moment, in ms. */
    async error(unixMs: number): Promise<number> {
        const atMs = this.mote(unixMs)
        return (await shiftAt(atMs)) + atMs - unixMs
    }
}

const hour = 3_600_000

for (const ppm of [-100, -37, 0, 100])
    test(`a crystal ${ppm} ppm off: right to 50 ms after hours without receipts, once its rate is known`, async () => {
        await reset()
        const session = new Session(ppm)
        await session.exchange(hour, 30_000)
        for (const hours of [0.5, 1, 3]) {
            const error = await session.error(session.unixMs + hours * hour)
            assert.ok(Math.abs(error) < 50, `${error} ms after ${hours} h`)
        }
        // The past is corrected as well once there are receipts again.
        const outageMs = session.unixMs
        session.unixMs += 6 * hour
        await session.exchange(60_000, 10_000)
        for (const hours of [0, 1, 3, 5]) {
            const error = await session.error(outageMs + hours * hour)
            assert.ok(Math.abs(error) < 50, `${error} ms, ${hours} h into the outage`)
        }
    })

test("a crystal whose rate changes with temperature is tracked", async () => {
    await reset()
    const session = new Session(20)
    for (const ppm of [20, 26, 40, -60]) {
        session.setRate(ppm)
        await session.exchange(2 * hour, 60_000)
        for (const hours of [0, 0.5]) {
            const error = await session.error(session.unixMs + hours * hour)
            assert.ok(Math.abs(error) < 60, `${error} ms at ${ppm} ppm after ${hours} h`)
        }
    }
})
