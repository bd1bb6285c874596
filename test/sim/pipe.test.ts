import assert from "node:assert/strict"
import { test } from "node:test"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** Writes down what an end receives. */
function listener(seen: string[]) {
    return {
        data: (bytes: Uint8Array) => seen.push(Buffer.from(bytes).toString()),
        closed: () => seen.push("closed"),
    }
}

test("bytes arrive in order, before the end, and whoever listens late misses none", async () => {
    const clock = new VirtualClock()
    const [left, right] = pipe(clock, 5)
    const seen: string[] = []
    left.write(Buffer.from("one"))
    left.write(Buffer.from("two"))
    assert.equal(left.backlog, 6)
    await clock.run(3)
    assert.deepEqual(seen, [])
    left.end()
    await clock.run(20)
    assert.equal(left.backlog, 0)
    right.listen(listener(seen))
    assert.deepEqual(seen, ["one", "two", "closed"])
})

test("nothing arrives after the end, at either side", async () => {
    const clock = new VirtualClock()
    const [left, right] = pipe(clock, 5)
    const [atLeft, atRight]: [string[], string[]] = [[], []]
    left.listen(listener(atLeft))
    right.listen(listener(atRight))
    right.write(Buffer.from("too late"))
    left.destroy()
    left.write(Buffer.from("nobody sends this"))
    await clock.run(20)
    assert.deepEqual(atLeft, ["closed"])
    assert.deepEqual(atRight, ["closed"])
})
