import assert from "node:assert/strict"
import { test } from "node:test"
import type { Acceleration, Body } from "../../sim/body/index.ts"
import { Lsm6dso } from "../../sim/devices/lsm6dso.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** x grows by 1 mg each ms, so that a sample tells when it was taken. */
const ramp = (seconds: number): Acceleration => [seconds, -1, 1]
const periodMs = 1000 / 26

function start(acceleration: (seconds: number) => Acceleration = ramp) {
    const clock = new VirtualClock()
    const body: Body = { reflectance: () => 0, skinTemperature: () => 30, acceleration }
    const chip = new Lsm6dso({ clock, body })
    const read = (register: number, size = 1) => {
        chip.write(Uint8Array.of(register))
        return [...chip.read(size)]
    }
    const write = (register: number, ...values: number[]) => chip.write(Uint8Array.of(register, ...values))
    /** ±8 g at 26 Hz, all of it into the FIFO. */
    const batch = (mode = 6) => {
        write(0x09, 0x02)
        write(0x0a, mode)
        write(0x10, 0x2c)
    }
    /** Words of the FIFO: tag, x, y, z. */
    const words = (count: number) => {
        const bytes = Buffer.from(read(0x78, 7 * count))
        return Array.from({ length: count }, (_, i) => ({
            tag: bytes[7 * i]!,
            x: bytes.readInt16LE(7 * i + 1),
            y: bytes.readInt16LE(7 * i + 3),
        }))
    }
    const stored = () => {
        const [low, high] = read(0x3a, 2)
        return low! | ((high! & 3) << 8)
    }
    return { chip, read, write, batch, words, stored, wait: (ms: number) => clock.run(ms) }
}

const near = (value: number, expected: number, tolerance: number) =>
    assert.ok(Math.abs(value - expected) <= tolerance, `${value}, ${expected} expected`)

test("identifies itself; reset values are the data sheet's; measures nothing", async () => {
    const { read, stored, wait } = start()
    assert.deepEqual(read(0x0f), [0x6c])
    assert.deepEqual(read(0x02), [0x3f])
    assert.deepEqual(read(0x10, 9), [0, 0, 4, 0, 0, 0, 0, 0, 0xe0])
    await wait(1000)
    assert.equal(stored(), 0)
    assert.deepEqual(read(0x1e), [0])
})

test("1 g in each scale is the sensitivity of the data sheet", async () => {
    for (const [code, mg] of [
        [0, 0.061],
        [1, 0.488],
        [2, 0.122],
        [3, 0.244],
    ] as const) {
        const { read, write, wait } = start(() => [1, -1, 30])
        write(0x10, 0x20 | (code << 2))
        await wait(periodMs + 1)
        const bytes = Buffer.from(read(0x28, 6))
        near(bytes.readInt16LE(0) * mg, 1000, 5)
        near(bytes.readInt16LE(2) * mg, -1000, 5)
        assert.equal(bytes.readInt16LE(4), 0x7fff)
    }
})

test("low power is noisier than high performance", async () => {
    const noise = async (control6: number) => {
        const { write, batch, words, wait } = start(() => [0, 0, 1])
        write(0x15, control6)
        batch()
        await wait(20_000)
        const x = words(500).map(word => word.x * 0.244)
        return Math.sqrt(x.reduce((power, value) => power + value * value, 0) / x.length)
    }
    near(await noise(0x10), 2.4, 0.3)
    near(await noise(0), 0.29, 0.06)
})

test("words with tags: accelerometer, counted, even parity; one burst wraps from word to word", async () => {
    const { batch, words, stored, wait } = start()
    batch()
    await wait(6 * periodMs + 1)
    assert.equal(stored(), 6)
    const all = words(6)
    assert.equal(stored(), 0)
    for (const [n, { tag, x, y }] of all.entries()) {
        assert.equal(tag >> 3, 0x02)
        assert.equal((tag >> 1) & 3, n & 3)
        assert.equal(tag.toString(2).replaceAll("0", "").length % 2, 0)
        near(x * 0.244, (n + 1) * periodMs, 10)
        near(y * 0.244, -1000, 10)
    }
})

test("the tag can be read on its own, then the data", async () => {
    const { batch, read, stored, wait } = start()
    batch()
    await wait(2 * periodMs + 1)
    assert.equal(read(0x78)[0]! >> 3, 2)
    assert.equal(stored(), 2)
    read(0x79, 6)
    assert.equal(stored(), 1)
})

test("without a batch rate, or in bypass mode, nothing gets into the FIFO; bypass empties it", async () => {
    const { batch, write, stored, wait } = start()
    batch()
    await wait(200)
    assert.equal(stored(), 5)
    write(0x0a, 0)
    assert.equal(stored(), 0)
    await wait(200)
    assert.equal(stored(), 0)
    write(0x0a, 6)
    write(0x09, 0)
    await wait(200)
    assert.equal(stored(), 0)
})

test("a slower batch rate takes every other sample", async () => {
    const { batch, write, stored, wait } = start()
    batch()
    write(0x09, 0x01)
    await wait(8 * periodMs + 1)
    assert.equal(stored(), 4)
})

test("watermark, overrun, and what each mode keeps of too many", async () => {
    const { batch, read, write, words, wait } = start()
    write(0x07, 10, 0)
    batch()
    await wait(9 * periodMs + 1)
    assert.deepEqual(read(0x3a, 2), [9, 0])
    await wait(periodMs)
    assert.deepEqual(read(0x3a, 2), [10, 0x80])
    await wait(600 * periodMs)
    assert.deepEqual(read(0x3a, 2), [0, 0x02 | 0x08 | 0x20 | 0x40 | 0x80])
    near(words(1)[0]!.x * 0.244, 99 * periodMs, 20)

    const once = start()
    once.write(0x07, 10, 0x80) // stop at the watermark
    once.batch(1)
    await once.wait(600 * periodMs)
    assert.equal(once.stored(), 10)
    near(once.words(1)[0]!.x * 0.244, periodMs, 20)
})

test("software reset ends by itself and resets everything; so does a new supply", async () => {
    const { chip, batch, read, write, stored, wait } = start()
    batch()
    await wait(100)
    write(0x12, 0x01)
    assert.deepEqual(read(0x12), [0x01])
    await wait(1)
    assert.deepEqual(read(0x10, 3), [0, 0, 4])
    assert.equal(stored(), 0)
    batch()
    chip.powerUp()
    await wait(100)
    assert.equal(stored(), 0)
})

test("without IF_INC the address stays", () => {
    const { read, write } = start()
    write(0x12, 0)
    assert.deepEqual(read(0x0f, 2), [0x6c, 0x6c])
})
