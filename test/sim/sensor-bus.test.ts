import assert from "node:assert/strict"
import { test } from "node:test"
import { SensorBus, type I2cChip } from "../../sim/devices/sensor-bus.ts"
import type { Packet } from "../../sim/jacdac/frame.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

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

/** How one transaction with the chip at 0x5A ends, and after how many ms. */
async function transfer(chips: I2cChip[], kHz?: number): Promise<[status: number, ms: number]> {
    const clock = new VirtualClock()
    const bus = new SensorBus(clock, chips, kHz)
    const command = { command: 0x80, payload: Uint8Array.of(1, 0x5a, 3, 7) } as Packet
    const startMs = clock.now()
    let status = -1
    bus.handle(command, (_, payload) => (status = payload[1]!))
    await clock.run(100, () => status >= 0)
    return [status, clock.now() - startMs]
}

test("a chip that keeps the data line low stops the bus for all; a bus may be too fast for a chip", async () => {
    const chip: I2cChip = {
        address: 0x5a,
        maxKHz: 100,
        write: () => true,
        read: size => new Uint8Array(size),
    }
    const stuck = { ...chip, address: 0x11, holdsDataLine: () => true }
    assert.equal((await transfer([chip]))[0], 0)
    assert.equal((await transfer([chip], 400))[0], 1)
    assert.equal((await transfer([chip, stuck]))[0], 2)
})

test("at 100 kHz a byte takes 90 µs", async () => {
    const chip = { address: 0x5a, write: () => true, read: (size: number) => new Uint8Array(size) }
    const [, ms] = await transfer([chip])
    assert.ok(Math.abs(ms - 6 * 0.09) < 0.02, `${ms} ms`) // two addresses, a command, three bytes
})
