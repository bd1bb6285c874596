import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import { UserError } from "../../host/errors.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { checkCliVersion, vmModuleText } from "../../devicescript/vm.ts"
import { memoryFlash, runProgram } from "../../sim/mote/program.ts"

test("a CLI that the simulator does not know gives one clear line", () => {
    assert.throws(() => checkCliVersion("3.0.0"), {
        name: "UserError",
        message: "@devicescript/cli 3.0.0 is not supported: the simulator knows 2.16.4",
    })
    assert.doesNotThrow(() => checkCliVersion("2.16.4"))
    assert.throws(() => vmModuleText("var somethingElse = 1"), UserError)
})

test("settings and counters live in flash, through restarts and power cuts", async () => {
    const flash = memoryFlash()
    const first = await runProgram("test/src/flash.ts", { flash, settings: { name: "ward" } })
    await first.run(10)
    const starts = (lines: string[]) => lines.filter(line => line.startsWith("start"))
    assert.deepEqual(starts(first.lines), ["start 1 ward", "start 2 ward", "start 3 ward"])
    assert.deepEqual(first.panics, [0, 0])
    first.mote.stop()
    const silent = first.lines.length
    await first.run(10)
    assert.equal(first.lines.length, silent, "a mote without power says nothing")

    const second = await runProgram("test/src/flash.ts", { flash })
    await second.run(10)
    assert.deepEqual(starts(second.lines), ["start 4 ward"])
})

test("randomness comes from the host, so the same seed gives the same run", async () => {
    const run = async (seed: string) => {
        const { run, lines } = await runProgram("test/src/flash.ts", { random: seeded(seed) })
        await run(10)
        return lines
    }
    const once = await run("a")
    assert.equal(once.filter(line => line.startsWith("random")).length, 3)
    assert.deepEqual(await run("a"), once)
    assert.notDeepEqual(await run("b"), once)
})

test("the VM's socket: bytes both ways, large answers in segments, the end of the connection", async () => {
    const clock = new VirtualClock()
    const received: string[] = []
    const { lines, run } = await runProgram("test/src/echo.ts", {
        clock,
        connect: (host, port, tls) => {
            const [mote, peer] = pipe(clock)
            received.push(`${host} ${port} ${tls}`)
            peer.listen({
                data: bytes => {
                    received.push(Buffer.from(bytes).toString())
                    peer.write(Buffer.from("pong"))
                    peer.write(Buffer.alloc(3000, 65))
                    peer.end()
                },
                closed: () => {},
            })
            return Promise.resolve(mote)
        },
    })
    await run(10)
    assert.deepEqual(received, ["echo.invalid 7 false", "ping"])
    assert.deepEqual(lines, ["got pong", "closed after 3004"])
})

test("a connection that fails is an error for the program, not for the host", async () => {
    const { lines, panics, run } = await runProgram("test/src/echo.ts", {
        connect: () => Promise.reject(new Error("connection refused")),
    })
    await run(40)
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /^failed .*connection refused/)
    assert.deepEqual(panics, [])
})

test("a program out of memory panics with 60004 and is started again", async () => {
    const { panics, run } = await runProgram("test/src/out-of-memory.ts")
    await run(13)
    assert.ok(panics.length >= 2, `${panics.length} panics`)
    assert.ok(panics.every(code => code === 60004))
})

test("fifty machines at once keep apart", async () => {
    const clock = new VirtualClock()
    const runs = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
            runProgram("test/src/flash.ts", { clock, settings: { name: `mote${n}` } }),
        ),
    )
    await clock.run(10_000)
    for (const [n, { lines }] of runs.entries())
        assert.equal(lines.filter(line => line === `start 3 mote${n}`).length, 1)
})

/** Bytes that depend on nothing but the seed. */
function seeded(seed: string): (size: number) => Uint8Array {
    let n = 0
    return size => {
        const bytes = Buffer.alloc(size)
        for (let at = 0; at < size; at += 32) createHash("sha256").update(`${seed} ${n++}`).digest().copy(bytes, at)
        return bytes
    }
}

test("a setting that a mote has no room for is refused before anything starts", async () => {
    await assert.rejects(
        runProgram("test/src/flash.ts", { settings: { name: "x".repeat(300) } }),
        (error: Error) => error instanceof UserError && /^setting name: \d+ bytes/.test(error.message),
    )
})

test("a flash that cannot be written stops the mote with its reason, instead of going on forgetful", async () => {
    const flash = memoryFlash()
    const save = flash.save.bind(flash)
    let isFull = false
    flash.save = contents => {
        if (isFull) throw new Error("no space left")
        save(contents)
    }
    const failures: string[] = []
    const { run, lines, panics } = await runProgram("test/src/flash.ts", {
        flash,
        failed: error => failures.push(error.message),
    })
    await run(0.5)
    assert.deepEqual(lines.length > 0 && failures, [])
    const said = lines.length
    isFull = true
    await run(20)
    assert.deepEqual(failures, ["no space left"])
    assert.ok(lines.length <= said + 2)
    assert.ok(!panics.includes(60000))
})
