import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { jacdac } from "../support/jacdac.ts"

/** Jacdac "Control service". */
const noop = 0x80
const controlService = 0

/** Runs a program; says when it printed what, and when it sent the packet that does nothing. */
async function start(program: string, settings: Record<string, unknown>) {
    const clock = new VirtualClock()
    const log: [line: string, ms: number][] = []
    const noops: number[] = []
    const { run, panics } = await runProgram(program, {
        ...{ clock, settings },
        chips: wearableChips(clock, syntheticBody({ seed: 1 })),
        log: line => log.push([line, clock.now()]),
        frame: frame => {
            for (const packet of jacdac.Packet.fromFrame(frame, 0))
                if (packet.serviceIndex === controlService && packet.serviceCommand === noop) noops.push(clock.now())
        },
    })
    return { log, noops, run, panics }
}

/** Milliseconds from one line to the next. */
function between(log: [line: string, ms: number][], first: string, second: string): number {
    const at = (wanted: string) => log.find(([line]) => line === wanted)![1]
    return at(second) - at(first)
}

for (const picow of [false, true])
    test(`on ${picow ? "a Pico W" : "any other board"}: sleeping takes its time, and a slice ends in the main loop`, async () => {
        const { log, noops, run, panics } = await start("test/src/sleep.ts", { picow })
        await run(20)
        assert.deepEqual(
            log.map(([line]) => line),
            ["start", "slept", "yielded", "waited", "raised", "asked"],
        )
        const expected = { slept: [300, 310], yielded: picow ? [40, 43] : [1, 3], waited: [100, 103], raised: [0, 1] }
        let before = "start"
        for (const [line, [least, most]] of Object.entries(expected)) {
            const ms = between(log, before, line)
            assert.ok(ms >= least! && ms <= most!, `${line} after ${ms} ms`)
            before = line
        }
        // Three times `sleep`, one slice, one signal that was waited for: the timer of a Pico W has to be set anew.
        const at = (wanted: string) => log.find(([line]) => line === wanted)![1]
        assert.equal(noops.filter(ms => ms >= at("start") && ms < at("raised")).length, picow ? 5 : 0)
        // With more packets than the runtime takes at once the sender has to wait.
        assert.equal(at("asked") - at("raised") > 300, picow)
        assert.deepEqual(panics, [])
    })
