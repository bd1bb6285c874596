import assert from "node:assert/strict"
import { test } from "node:test"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import type { Board } from "../../emulator/board.ts"
import { runProgram, word } from "./arm.ts"

/**
 * Sends commands to an I2C controller one by one, each when the one before is through, as the Pico's SDK does; then reads what
 * was received. In RAM: address, counts of half a bit, number of commands, where the reason of an abort goes, the commands; behind
 * them, what was read.
 *
 *     ldr r5, =0x40044000; ldr r6, =0x20000000; movs r0, #0; str r0, [r5, #0x6c]; ldr r0, =0x165; str r0, [r5]
 *     ldr r0, [r6]; str r0, [r5, #4]; ldr r0, [r6, #4]; str r0, [r5, #0x1c]; str r0, [r5, #0x20]
 *     movs r0, #1; str r0, [r5, #0x6c]; movs r7, #16; ldr r4, [r6, #8]
 *     send: cmp r4, #0; beq done; ldr r0, [r6, r7]; str r0, [r5, #0x10]; movs r2, #16
 *     wait: ldr r1, [r5, #0x34]; tst r1, r2; beq wait                                      @ TX_EMPTY
 *     ldr r0, =0x80; ldr r1, [r5, r0]; str r1, [r6, #12]; cmp r1, #0; bne done             @ TX_ABRT_SOURCE
 *     adds r7, #4; subs r4, #1; b send
 *     done: movs r2, #16; ldr r1, [r5, #0x78]; cmp r1, #0; beq end
 *     read: ldr r0, [r5, #0x10]; adds r7, #4; str r0, [r6, r7]; ldr r1, [r5, #0x78]; cmp r1, #0; bne read
 *     end: bkpt #0
 */
const master =
    "144d154e0020e86614482860306868607068e86128620120e8661027b468002c0dd0f05928611022696b1142fcd00c48" +
    "2958f160002902d10437013cefe71022a96f002905d028690437f051a96f0029f9d100be004004400000002065010000" +
    "80000000"
const READ = 0x100
const STOP = 0x200
const RESTART = 0x400
/** Of the ring oscillator's 6.5 MHz: 100 kHz, or a little more. */
const halfBit = 32

/** A chip that remembers what it heard and counts upwards. */
function chip(options: Partial<I2cChip> = {}) {
    const heard: number[][] = []
    let count = 0x40
    return {
        heard,
        address: 0x57,
        write: (bytes: Uint8Array) => (bytes.length && heard.push([...bytes]), true),
        read: (size: number) => Uint8Array.from({ length: size }, () => count++),
        pointerMoves: true,
        ...options,
    }
}

function transfer(commands: number[], chips: I2cChip[], address = 0x57, ms = 100): Board {
    const ram = [address, halfBit, commands.length, 0, ...commands]
    return runProgram({ code: master, ram }, { chips: () => chips }, ms)
}

test("a write and a read behind a repeated start, in the time that their bits take", () => {
    const sensor = chip()
    const commands = [0x07, READ | RESTART, READ, READ | STOP]
    const board = transfer(commands, [sensor])
    assert.equal(board.halt?.kind, "breakpoint")
    assert.deepEqual(sensor.heard, [[0x07]])
    assert.deepEqual(
        [9, 10, 11].map(i => word(board, i)),
        [0x40, 0x41, 0x42],
    )
    const [bus] = board.i2c
    // Two starts, six bytes with their acknowledgements, a stop.
    const bitNanos = (1e9 * 64) / 6.5e6
    assert.ok(Math.abs(bus!.busyNanos / bitNanos - (2 + 6 * 9 + 1)) < 0.01)
    assert.equal(bus!.transfers, 1)
})

test("a chip that begins anew with each read is read ahead", () => {
    const sensor = chip({ read: size => Uint8Array.from({ length: size }, (_, i) => 0x80 + i), pointerMoves: false })
    const board = transfer([READ, READ | STOP], [sensor])
    assert.deepEqual(
        [7, 8].map(i => word(board, i)),
        [0x80, 0x81],
    )
})

test("nobody there: the address is not acknowledged, in the same call", () => {
    const board = transfer([0x07, 0x08 | STOP], [chip()], 0x11)
    assert.equal(word(board, 3), 1) // ABRT_7B_ADDR_NOACK
    assert.equal(board.i2c[0]!.refused, 1)
})

test("a byte that a chip refuses is another reason than an address", () => {
    const sensor = chip({ write: bytes => bytes.length === 0 })
    const board = transfer([0x07 | STOP], [sensor])
    assert.equal(word(board, 3), 8) // ABRT_TXDATA_NOACK
})

test("a chip on too fast a bus does not answer", () => {
    assert.equal(word(transfer([0x07 | STOP], [chip({ maxKHz: 50 })]), 3), 1)
    assert.equal(word(transfer([0x07 | STOP], [chip({ maxKHz: 100 })]), 3), 0)
})

test("a data line that is kept low: the bus is lost, and there is no stop until it is free", () => {
    const board = transfer([0x07 | STOP], [chip({ holdsDataLine: () => true })])
    assert.equal(word(board, 3), 1 << 12) // ARB_LOST
    assert.equal(board.chip!.peripherals[0x40044]!.readUint32(0x34) & (1 << 9), 0)
})
