import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { ClinicTime } from "../../router/clinic-time.ts"
import { SqliteStore } from "../../router/index.ts"
import { ManualClock } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"

const notBefore = Date.UTC(2026, 10, 30)
const year = 365 * 86_400_000

/** A machine that was started a while ago, and a clinic that says its time when a test wants it. */
function setUp(o: { store?: SqliteStore; ownTime?: number; startedAt?: number } = {}) {
    const store = o.store ?? SqliteStore.inMemory()
    const clock = new ManualClock(o.ownTime ?? notBefore + year)
    let startedAt = o.startedAt ?? clock.now() - 1_000_000
    let monotonicMs = 0
    let hear: (time: number) => void = () => {}
    const clinic = Object.assign(new MemoryClinic(), {
        onTime: (listener: (time: number) => void) => void (hear = listener),
    })
    const warned: string[] = []
    const log = { ...silentLog, warn: (_: object, line: string) => void warned.push(line) }
    const machine = { monotonic: () => monotonicMs, startedAt: () => startedAt, notBefore }
    const time = new ClinicTime({ clock, store, clinic, machine, log })
    return {
        ...{ store, clock, time, warned },
        hear: (at: number) => hear(at),
        pass: async (ms: number) => {
            monotonicMs += ms
            await clock.advance(ms)
        },
        /** Somebody sets the clock. */
        step: (ms: number) => {
            clock.step(ms)
            startedAt += ms
        },
    }
}

test("without the clinic's word there is no time for motes; with it, it is this machine's where both agree", async () => {
    const { time, clock, hear, pass, warned } = setUp()
    assert.equal(time.now(), undefined)
    hear(clock.now() - 1500)
    assert.equal(time.now(), clock.now())
    await pass(10_000)
    assert.equal(time.now(), clock.now())
    assert.deepEqual(warned, [])
})

test("a clock that starts in 1970, or is ten minutes ahead, does not reach a mote", async () => {
    for (const ownTime of [0, notBefore + year + 600_000]) {
        const { time, hear, pass, warned } = setUp({ ownTime })
        hear(notBefore + year)
        assert.equal(time.now(), notBefore + year)
        await pass(5_000)
        assert.equal(time.now(), notBefore + year + 5_000)
        assert.equal(warned.length, 1)
    }
})

test("a clock that jumps ahead by a day for a while does not reach a mote", async () => {
    const { time, clock, hear, pass, step } = setUp()
    hear(clock.now())
    const at = clock.now()
    step(86_400_000)
    assert.equal(time.now(), at)
    await pass(10_000)
    hear(at + 10_000)
    assert.equal(time.now(), at + 10_000)
    step(-86_400_000)
    assert.equal(time.now(), at + 10_000)
    await pass(35_000)
    assert.equal(time.now(), at + 45_000)
})

test("a clinic whose own clock is before this version's day is not believed", () => {
    const { time, hear, warned } = setUp()
    hear(0)
    hear(notBefore - 1)
    hear(NaN)
    assert.equal(time.now(), undefined)
    assert.equal(warned.length, 1)
})

test("a router that is started again on a running machine knows the time; on one that was started anew it asks", () => {
    const first = setUp({ ownTime: notBefore + year + 600_000 })
    first.hear(notBefore + year)
    const { store } = first
    const startedAt = notBefore + year + 600_000 - 1_000_000
    const later = { store, ownTime: notBefore + year + 700_000 }
    assert.equal(setUp({ ...later, startedAt }).time.now(), notBefore + year + 100_000)
    assert.equal(setUp({ ...later, startedAt: startedAt + 60_000 }).time.now(), undefined, "or its clock was set")
    assert.equal(setUp({ ...later, ownTime: 0, startedAt: -1_000_000 }).time.now(), undefined)
})

test("a clinic in the same process has the same clock", () => {
    const clock = new ManualClock(0)
    const time = new ClinicTime({ clock, store: SqliteStore.inMemory(), clinic: new MemoryClinic(), log: silentLog })
    assert.equal(time.now(), 0)
})
