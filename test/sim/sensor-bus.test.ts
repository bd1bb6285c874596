import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram } from "../../sim/program.ts"

test("bytecode reaches a chip on the simulated bus, and learns of an absent one", async () => {
    const written: number[][] = []
    const chip = {
        address: 0x48,
        write: (bytes: Uint8Array) => {
            written.push([...bytes])
            return true
        },
        read: (size: number) => Uint8Array.of(0x25, 0x80).subarray(0, size),
    }
    const { lines, panics, run } = await runProgram("test/src/sensor-bus.ts", { chips: [chip] })
    await run(3)
    assert.deepEqual(lines, ["register 2580", "absent 1"])
    assert.deepEqual(written, [[0]])
    assert.deepEqual(panics, [])
})
