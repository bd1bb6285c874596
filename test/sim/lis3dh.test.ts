import assert from "node:assert/strict"
import { test } from "node:test"
import type { Acceleration, Body } from "../../sim/body/index.ts"
import { Lis3dh } from "../../sim/devices/lis3dh.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** x grows by 1 mg each ms, so that a sample tells when it was taken. */
const ramp = (seconds: number): Acceleration => [seconds, -1, 1]

function start(acceleration: (seconds: number) => Acceleration = ramp) {
    const clock = new VirtualClock()
    const body: Body = { reflectance: () => 0, skinTemperature: () => 30, acceleration }
    const chip = new Lis3dh({ clock, body })
    const read = (register: number, size = 1) => {
        chip.write(Uint8Array.of(register))
        return [...chip.read(size)]
    }
    const write = (register: number, ...values: number[]) => chip.write(Uint8Array.of(register, ...values))
    /** x, y and z of some samples, in counts of 16 bits. */
    const samples = (count: number) => {
        const bytes = Buffer.from(read(0xa8, 6 * count))
        return Array.from({ length: 3 * count }, (_, i) => bytes.readInt16LE(2 * i))
    }
    /** ±8 g at 25 Hz, with a FIFO in stream mode. */
    const stream = (mode = 0x80) => {
        write(0x23, 0x20)
        write(0x24, 0x40)
        write(0x2e, mode)
        write(0x20, 0x37)
    }
    return { chip, read, write, samples, stream, wait: (ms: number) => clock.run(ms) }
}

const near = (value: number, expected: number, tolerance: number) =>
    assert.ok(Math.abs(value - expected) <= tolerance, `${value}, ${expected} expected`)

test("identifies itself; reset values are the data sheet's", async () => {
    const { read, wait } = start()
    assert.deepEqual(read(0x0f), [0x33])
    assert.deepEqual(read(0x9e, 3), [0x10, 0x00, 0x07])
    await wait(1000)
    assert.deepEqual(read(0xa7, 7), [0, 0, 0, 0, 0, 0, 0])
    assert.deepEqual(read(0x2f), [0x20])
})

test("only an address with bit 7 goes on to the next register", () => {
    const { read, write } = start()
    write(0x20, 0x37, 0x47)
    assert.deepEqual(read(0x20, 3), [0x47, 0x47, 0x47])
    write(0xa0, 0x37, 0x01)
    assert.deepEqual(read(0xa0, 2), [0x37, 0x01])
    write(0x0f, 0)
    assert.deepEqual(read(0x0f), [0x33])
})

test("1 g in each mode and scale is the sensitivity of the data sheet, left-justified", async () => {
    // CTRL_REG1, CTRL_REG4, digits of 1 g, bits that are not there
    const modes = [
        [0x37, 0x08, 1000, 4],
        [0x37, 0x28, 250, 4],
        [0x37, 0x38, 83.3, 4],
        [0x37, 0x00, 250, 6],
        [0x37, 0x20, 62.5, 6],
        [0x3f, 0x00, 62.5, 8],
        [0x3f, 0x20, 15.6, 8],
    ] as const
    for (const [control1, control4, digits, missing] of modes) {
        const { write, samples, wait } = start(() => [1, -1, 0])
        write(0x23, control4)
        write(0x20, control1)
        await wait(41)
        const [x, y] = samples(1)
        assert.equal(x! & ((1 << missing) - 1), 0)
        near(x! / 2 ** missing, digits, Math.max(1, digits * 0.01))
        near(y! / 2 ** missing, -digits, Math.max(1, digits * 0.01))
    }
})

test("what is beyond the scale stays at its end", async () => {
    const { samples, stream, wait } = start(() => [9, -9, 0])
    stream()
    await wait(41)
    assert.deepEqual(samples(1).slice(0, 2), [0x7fc0, -0x8000])
})

test("samples at the data rate, in order, in one burst that wraps; the FIFO keeps 10 bits", async () => {
    const { read, samples, stream, wait, write } = start()
    stream()
    write(0x23, 0x28) // high resolution
    await wait(205)
    assert.deepEqual(read(0x2f), [0x80 | 5])
    const values = samples(5)
    for (let n = 0; n < 5; n++) near(values[3 * n]!, 0.04 * (n + 1) * 4000, 70)
    assert.ok(values.every(value => value % 64 === 0))
    assert.deepEqual(read(0x2f), [0x20])
    await wait(40)
    assert.deepEqual(read(0x2f), [0x80 | 1])
})

test("the watermark flag is up above the threshold", async () => {
    const { read, stream, wait } = start()
    stream(0x80 | 3)
    await wait(125)
    assert.deepEqual(read(0x2f), [3])
    await wait(40)
    assert.deepEqual(read(0x2f), [0x80 | 4])
})

test("stream mode keeps the newest 32, FIFO mode the oldest; bypass empties it", async () => {
    const oldest = async (mode: number) => {
        const { read, write, samples, stream, wait } = start()
        stream(mode)
        await wait(40 * 40 + 1)
        assert.deepEqual(read(0x2f), [0x80 | 0x40 | 31])
        const [x] = samples(1)
        assert.equal(read(0x2f)[0]! & 0x40, 0)
        write(0x2e, 0)
        assert.deepEqual(read(0x2f), [0x20])
        return x!
    }
    near(await oldest(0x80), 9 * 0.04 * 4000, 70)
    near(await oldest(0x40), 0.04 * 4000, 70)
})

test("power-down stops it, and a new supply resets it", async () => {
    const { chip, read, write, stream, wait } = start()
    stream()
    await wait(85)
    write(0x20, 0x07)
    await wait(1000)
    assert.equal(read(0x2f)[0]! & 0x1f, 2)
    chip.powerUp()
    assert.deepEqual(read(0xa0, 6), [0x07, 0, 0, 0, 0, 0])
    assert.deepEqual(read(0xae, 2), [0, 0x20])
})

test("status: new data until they are read, overrun when they were not", async () => {
    const { read, write, samples, wait } = start()
    write(0x20, 0x37)
    await wait(41)
    assert.deepEqual(read(0x27), [0x0f])
    samples(1)
    assert.deepEqual(read(0x27), [0])
    await wait(90)
    assert.deepEqual(read(0x27), [0xff])
})
