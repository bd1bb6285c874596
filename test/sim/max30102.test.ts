import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** Infrared light that grows with the time, so that a sample tells when it was taken; red is half of it. */
const ramp: Body = {
    reflectance: (led, seconds) => (100 + 10 * seconds) / (led === "red" ? 2 : 1),
    skinTemperature: () => 31.5,
}

function start(body: Body = ramp) {
    const clock = new VirtualClock()
    const chip = new Max30102({ clock, body })
    const read = (register: number, size = 1) => {
        chip.write(Uint8Array.of(register))
        return [...chip.read(size)]
    }
    const write = (register: number, ...values: number[]) => chip.write(Uint8Array.of(register, ...values))
    const wait = (ms: number) => clock.run(ms)
    const sample = () => {
        const [a, b, c, d, e, f] = read(0x07, 6) as [number, number, number, number, number, number]
        return { red: (a << 16) | (b << 8) | c, infrared: (d << 16) | (e << 8) | f }
    }
    /** SpO2 mode, 100 Hz averaged by 4, 4,096 nA, 18 bits, 7 mA. */
    const measure = (fifo = 0x40) => {
        write(0x08, fifo)
        write(0x0a, 0x27)
        write(0x0c, 35, 35)
        write(0x04, 0, 0, 0)
        write(0x09, 3)
    }
    const pointers = () => {
        const [write, overflow, read_] = read(0x04, 3)
        return { write, overflow, read: read_ }
    }
    return { clock, chip, read, write, wait, sample, measure, pointers }
}

/** Counts of 4,096 nA over 18 bits. */
const counts = (nA: number) => (nA / 4096) * 2 ** 18

test("identifies itself; power-up sets the power-ready flag, reading clears it", () => {
    const { read } = start()
    assert.deepEqual(read(0xff), [0x15])
    assert.deepEqual(read(0x00), [0x01])
    assert.deepEqual(read(0x00), [0x00])
})

test("measures nothing before it is told to", async () => {
    const { wait, pointers, write } = start()
    await wait(1000)
    write(0x0a, 0x27)
    await wait(1000)
    assert.deepEqual(pointers(), { write: 0, overflow: 0, read: 0 })
})

test("samples arrive at the averaged rate, in order, red first", async () => {
    const { wait, pointers, measure, sample } = start()
    measure()
    await wait(205)
    assert.deepEqual(pointers(), { write: 5, overflow: 0, read: 0 })
    const first = sample()
    assert.ok(Math.abs(first.infrared - counts(7 * 100.25)) < 40, `${first.infrared}`)
    assert.ok(Math.abs(first.red - counts(3.5 * 100.25)) < 40, `${first.red}`)
    for (let i = 1; i < 5; i++) {
        const at = 0.025 + 0.04 * i
        assert.ok(Math.abs(sample().infrared - counts(7 * (100 + 10 * at))) < 40)
    }
    assert.deepEqual(pointers(), { write: 5, overflow: 0, read: 5 })
})

test("a burst stays on the data register; other registers follow each other", async () => {
    const { wait, measure, read, pointers } = start()
    measure()
    await wait(130)
    read(0x07, 12)
    assert.deepEqual(pointers(), { write: 3, overflow: 0, read: 2 })
    assert.deepEqual(read(0x08, 3), [0x40, 0x03, 0x27])
})

test("the first byte of a sample moves the read pointer; writing it back re-reads the sample", async () => {
    const { wait, measure, read, write, sample, pointers } = start()
    measure()
    await wait(90)
    const [high] = read(0x07, 1)
    assert.equal(pointers().read, 1)
    write(0x06, 0)
    const again = sample()
    assert.equal(again.red >> 16, high)
    assert.equal(pointers().read, 1)
})

test("full without rollover: oldest kept, losses counted up to 31, equal pointers", async () => {
    const { wait, measure, sample, pointers } = start()
    measure()
    await wait(32 * 40 + 1)
    assert.deepEqual(pointers(), { write: 0, overflow: 0, read: 0 })
    await wait(5 * 40)
    assert.deepEqual(pointers(), { write: 0, overflow: 5, read: 0 })
    await wait(60_000)
    assert.deepEqual(pointers(), { write: 0, overflow: 31, read: 0 })
    assert.ok(Math.abs(sample().infrared - counts(7 * 100.25)) < 40)
    assert.deepEqual(pointers(), { write: 0, overflow: 0, read: 1 })
})

test("full with rollover: the newest 32 are kept", async () => {
    const { wait, measure, sample, pointers } = start()
    measure(0x50)
    await wait(40 * 40 + 1)
    assert.deepEqual(pointers(), { write: 8, overflow: 8, read: 8 })
    assert.ok(Math.abs(sample().infrared - counts(7 * (100 + 10 * (0.025 + 8 * 0.04)))) < 40)
})

test("status flags: sample ready, almost full; each cleared as the data sheet says", async () => {
    const { wait, measure, read } = start()
    measure(0x4f)
    read(0x00)
    await wait(45)
    assert.deepEqual(read(0x00), [0x40])
    assert.deepEqual(read(0x00), [0x00])
    await wait(40)
    read(0x07, 6)
    assert.deepEqual(read(0x00), [0x00])
    await wait(17 * 40)
    assert.equal(read(0x00)[0]! & 0x80, 0x80)
})

test("reset clears every register and its own bit; shutdown keeps registers and stops samples", async () => {
    const { wait, measure, read, write, pointers } = start()
    measure()
    await wait(100)
    write(0x09, 0x83)
    await wait(1000)
    assert.deepEqual(read(0x08, 3), [0x40, 0x83, 0x27])
    assert.equal(pointers().write, 2)
    write(0x09, 0x40)
    assert.deepEqual(read(0x09), [0x40])
    await wait(2)
    assert.deepEqual(read(0x08, 3), [0, 0, 0])
    assert.deepEqual(read(0x00), [0])
    assert.deepEqual(pointers(), { write: 0, overflow: 0, read: 0 })
})

test("LED current, range and pulse width act on the counts; full scale is 0x3FFFF", async () => {
    const { wait, measure, write, sample, read } = start({
        reflectance: () => 100,
        skinTemperature: () => 30,
    })
    const next = async () => {
        write(0x04, 0, 0, 0)
        await wait(81)
        return sample().infrared
    }
    measure()
    const base = await next()
    write(0x0d, 70)
    assert.ok(Math.abs((await next()) - 2 * base) < 40)
    write(0x0a, 0x47)
    assert.ok(Math.abs((await next()) - base) < 40)
    write(0x0a, 0x24)
    write(0x08, 0)
    assert.equal((await next()) & 7, 0)
    write(0x0a, 0x07)
    write(0x0d, 255)
    assert.equal(await next(), 0x3ffff)
    write(0x0d, 0)
    assert.ok((await next()) < 60)
    assert.deepEqual(read(0xff), [0x15])
})

test("heart-rate mode gives one channel; multi-LED mode its slots", async () => {
    const { wait, measure, read, write, pointers, sample } = start()
    measure()
    write(0x09, 2)
    await wait(90)
    read(0x07, 6)
    assert.equal(pointers().read, 2)
    write(0x09, 7)
    write(0x11, 0x12)
    write(0x04, 0, 0, 0)
    await wait(81)
    const slots = sample() // in the order of the slots now
    assert.ok(Math.abs(slots.red - 2 * slots.infrared) < 80)
})

test("a rate that the pulse width leaves no time for becomes the highest possible", async () => {
    const { wait, write, pointers } = start()
    write(0x0a, 0x1f)
    write(0x09, 3)
    await wait(51)
    assert.equal(pointers().write, 20)
})

test("die temperature: a conversion takes 29 ms, then the flag is up and the enable bit down", async () => {
    const { wait, write, read } = start()
    write(0x21, 1)
    await wait(20)
    assert.deepEqual(read(0x21), [1])
    assert.deepEqual(read(0x01), [0])
    await wait(10)
    assert.deepEqual(read(0x21), [0])
    assert.deepEqual(read(0x01), [2])
    assert.deepEqual(read(0x1f, 2), [31, 8])
})

test("more blood, fewer counts", async () => {
    const { wait, measure, sample } = start({
        reflectance: (_, seconds) => (seconds < 1 ? 250 : 247),
        skinTemperature: () => 30,
    })
    measure()
    await wait(2000)
    const counts: number[] = []
    for (let i = 0; i < 32; i++) counts.push(sample().infrared)
    assert.ok(counts[3]! - counts[30]! > 800)
})

/** A body that reflects 100 nA/mA under light that changes with the time. */
const lit = (ambientLight: (seconds: number) => number): Body => ({
    reflectance: () => 100,
    skinTemperature: () => 30,
    ambientLight,
})

test("steady light is cancelled, up to 200 µA", async () => {
    for (const [ambientNa, flag] of [
        [150_000, 0],
        [203_000, 0x20],
    ] as const) {
        const { wait, measure, sample, read } = start(lit(() => ambientNa))
        measure()
        await wait(50)
        assert.equal(read(0x00)[0]! & 0x20, flag)
        assert.equal(read(0x00)[0]! & 0x20, 0)
        const left = flag ? 3000 : 0
        assert.ok(Math.abs(sample().infrared - counts(700 + left)) < 40)
    }
})

test("of a flickering lamp little is left; far too much light is full scale", async () => {
    const lampNa = 2000
    const { wait, measure, sample } = start(lit(t => lampNa * Math.abs(Math.sin(2 * Math.PI * 50.3 * t))))
    measure()
    await wait(31 * 40)
    const left = Array.from({ length: 30 }, () => Math.abs(sample().infrared - counts(700)))
    assert.ok(Math.max(...left) > 60)
    assert.ok(Math.max(...left) < counts(0.1 * lampNa))
    const dazzled = start(lit(() => 1e6))
    dazzled.measure()
    await dazzled.wait(50)
    assert.deepEqual(dazzled.sample(), { red: 0x3ffff, infrared: 0x3ffff })
})

test("an LED that failed gives no light, whatever its current; the other one does", async () => {
    const { chip, wait, measure, sample } = start(lit(() => 0))
    measure()
    chip.failLed("red")
    await wait(50)
    const { red, infrared } = sample()
    assert.ok(red < 60)
    assert.ok(Math.abs(infrared - counts(700)) < 40)
})

test("a fast oscillator brings its samples sooner", async () => {
    const clock = new VirtualClock()
    const chip = new Max30102({ clock, body: ramp, oscillatorError: 0.1 })
    chip.write(Uint8Array.of(0x0a, 0x27))
    chip.write(Uint8Array.of(0x09, 3))
    await clock.run(205)
    chip.write(Uint8Array.of(0x04))
    assert.deepEqual([...chip.read(1)], [22])
})

test("LED charge: current times pulses", async () => {
    const { chip, wait, measure } = start()
    measure()
    await wait(1001)
    assert.ok(Math.abs(chip.ledCharge() - 2 * 7 * 100 * 411e-6) < 0.001)
})
