import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Board } from "../../emulator/board.ts"
import { flashWith, ramAt, runProgram, word } from "./arm.ts"

/**
 * Looks up a function by its code, calls it with four arguments, stores what it returns:
 *
 *     ldr r6, =0x20000000; movs r0, #0x14; ldrh r5, [r0]; ldrh r4, [r0, #4]
 *     mov r0, r5; ldr r1, [r6]; blx r4; mov r7, r0
 *     ldr r0, [r6, #4]; ldr r1, [r6, #8]; ldr r2, [r6, #12]; ldr r3, [r6, #16]; blx r7
 *     str r0, [r6, #20]; bkpt #0
 */
const call = "074e14200588848828463168a04707467068b168f2683369b847706100be000000000020"
/**
 * The same with a table of functions for floating point and an offset in it; results are two registers and the flags:
 *
 *     ldr r6, =0x20000000; movs r0, #0x14; ldrh r4, [r0, #4]; ldrh r0, [r0, #2]; ldr r1, [r6]; blx r4
 *     ldr r1, [r6, #4]; ldr r7, [r0, r1]; ldr r0, [r6, #8]; … r3, [r6, #20]; blx r7
 *     mrs r4, apsr; str r0, [r6, #24]; str r1, [r6, #28]; str r4, [r6, #32]; bkpt #0
 */
const floatCall = "094e1420848840883168a04771684758b068f16832697369b847eff30084b061f161346200be000000000020"

const code = (letters: string) => letters.charCodeAt(0) | (letters.charCodeAt(1) << 8)

function rom(name: string, ...args: number[]): Board {
    return runProgram({ code: call, ram: [code(name), ...args, ...Array<number>(4 - args.length).fill(0)] })
}

test("bits: how many, leading zeros, trailing zeros, in reverse", () => {
    const results = Object.entries({ P3: 3, L3: 3, T3: 4, R3: 0x0a000008 })
    for (const [name, expected] of results) assert.equal(word(rom(name, 0x10000050), 5), expected, name)
})

const hardFault = 3

test("a code that the ROM does not know is found nowhere: whoever calls it gets a hard fault", () => {
    const board = runProgram({ code: call, ram: [code("ZZ")], handlers: { [hardFault]: 26 } }) // bkpt #0
    assert.equal(board.halt?.kind, "breakpoint")
    assert.equal(board.chip!.cpu.IPSR, hardFault)
    assert.equal(board.chip!.registers[7], 0)
})

test("memory is copied and filled", () => {
    const text = 0x20000100
    const board = new Board({ flash: flashWith({ code: call }) })
    board.powerUp()
    const chip = board.chip!
    ;[code("MC"), text + 0x40, text, 5, 0].forEach((value, i) => chip.writeUint32(ramAt + 4 * i, value))
    ;[..."hello!"].forEach((letter, i) => chip.writeUint8(text + i, letter.charCodeAt(0)))
    board.run(100e6)
    const at = text + 0x40 - ramAt
    assert.equal(Buffer.from(chip.sram.subarray(at, at + 6)).toString("latin1"), "hello\0")
    assert.equal(word(board, 5), text + 0x40)
    const filled = rom("MS", text, 0xab, 3)
    assert.deepEqual([...filled.chip!.sram.subarray(0x100, 0x104)], [0xab, 0xab, 0xab, 0])
})

const scratch = new DataView(new ArrayBuffer(8))
const singleBits = (value: number) => (scratch.setFloat32(0, value), scratch.getUint32(0))
const doubleBits = (value: number) => (scratch.setFloat64(0, value), [scratch.getUint32(4), scratch.getUint32(0)])

function float(table: "SF" | "SD", offset: number, ...registers: number[]): Board {
    const ram = [code(table), offset, ...registers, ...Array<number>(4 - registers.length).fill(0)]
    return runProgram({ code: floatCall, ram })
}

test("single precision is what IEEE 754 says", () => {
    const operations: [number, (a: number, b: number) => number][] = [
        [0x00, (a, b) => a + b],
        [0x04, (a, b) => a - b],
        [0x08, (a, b) => a * b],
        [0x0c, (a, b) => a / b],
    ]
    const number = fc.integer({ min: -10000, max: 10000 }).map(n => Math.fround(n / 7))
    fc.assert(
        fc.property(fc.constantFrom(...operations), number, number, ([offset, operation], a, b) => {
            fc.pre(b !== 0)
            const board = float("SF", offset, singleBits(a), singleBits(b))
            assert.equal(word(board, 6), singleBits(operation(a, b)))
        }),
        { numRuns: 40 },
    )
})

test("double precision: product, sine, integers and a comparison's flags", () => {
    const product = float("SD", 0x08, ...doubleBits(1.1), ...doubleBits(-3))
    assert.deepEqual([word(product, 6), word(product, 7)], doubleBits(1.1 * -3))
    const sine = float("SD", 0x40, ...doubleBits(0.5))
    assert.deepEqual([word(sine, 6), word(sine, 7)], doubleBits(Math.sin(0.5)))
    assert.equal(word(float("SD", 0x1c, ...doubleBits(-2.5)), 6) | 0, -3) // rounded down
    assert.equal(word(float("SD", 0x24, ...doubleBits(5e9)), 6), 0xffffffff) // as much as fits
    const flags = (a: number, b: number) => word(float("SD", 0x14, ...doubleBits(a), ...doubleBits(b)), 8) >>> 28
    assert.equal(flags(1, 2) & 0b0110, 0) // neither Z nor C: lower
    assert.equal(flags(2, 2) & 0b0110, 0b0110)
    assert.equal(flags(3, 2) & 0b0110, 0b0010)
})

const sector = 0x10000
const page = 0x100

test("flash: erasing and programming take their time, and programming makes no ones", () => {
    const erased = rom("RE", sector, 0x1000, 0x10000, 0xd8)
    assert.ok(erased.nanos > 45e6 && erased.nanos < 60e6, String(erased.nanos))
    assert.equal(erased.flash.erased[sector / 0x1000], 1)
    const source = ramAt + 0x400
    const board = new Board({ flash: flashWith({ code: call }) })
    board.flash.contents.fill(0x0f, sector, sector + page)
    board.powerUp()
    ;[code("RP"), sector, source, page, 0].forEach((value, i) => board.chip!.writeUint32(ramAt + 4 * i, value))
    board.chip!.sram.fill(0x3c, 0x400, 0x400 + page)
    board.run(100e6)
    assert.ok(board.flash.contents.subarray(sector, sector + page).every(byte => byte === 0x0c))
    assert.equal(board.flash.programmed, 1)
    assert.equal(board.flash.refused, page)
})

test("the power fails in a write: what was done stays, the rest is as before", () => {
    const events: string[] = []
    const source = ramAt + 0x400
    const board = new Board({ flash: flashWith({ code: call }), onEvent: ({ kind }) => events.push(kind) })
    board.flash.powerFailure = () => 0.25
    board.powerUp()
    ;[code("RP"), sector, source, page, 0].forEach((value, i) => board.chip!.writeUint32(ramAt + 4 * i, value))
    board.run(100e6)
    assert.deepEqual(events, ["power failure"])
    assert.equal(board.chip, undefined)
    assert.ok(board.flash.contents.subarray(sector, sector + 64).every(byte => byte === 0))
    assert.ok(board.flash.contents.subarray(sector + 64, sector + page).every(byte => byte === 0xff))
    board.flash.powerFailure = undefined
    board.powerUp()
    assert.ok(board.chip)
})

test("the flash tells its identifier, byte by byte", () => {
    /**
     * ldr r5, =0x18000060; ldr r6, =0x20000000; ldr r4, =0x4001800c; ldr r0, =0x200; str r0, [r4]  @ select
     * movs r0, #0x4b; movs r3, #0
     * loop: str r0, [r5]; ldr r1, [r5]; strb r1, [r6, r3]; movs r0, #0; adds r3, #1; cmp r3, #13; bne loop
     * ldr r0, =0x300; str r0, [r4]; bkpt #0
     */
    const program =
        "084d094e094c0a4820604b20002328602968f154002001330d2bf8d10548206000be00006000001800000020" +
        "0c8001400002000000030000"
    const board = runProgram({ code: program })
    const answer = Buffer.from(board.chip!.sram.subarray(0, 13))
    assert.equal(answer.subarray(5).toString("hex"), "e6609103c3481f2b")
})
