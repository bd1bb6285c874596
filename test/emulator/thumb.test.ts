import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { RP2040 } from "rp2040js"
import { Board } from "../../emulator/board.ts"
import { flashWith } from "./arm.ts"

const at = 0x20001000
const breakpoint = 0xbe00

interface State {
    /** R0 to R7. */
    registers: number[]
    /** N, Z, C and V as four bits. */
    flags: number
}

const board = new Board({ flash: flashWith({ code: "00be" }) })
board.powerUp()

/** Runs instructions from RAM as they are translated. */
function translated(code: number[], { registers, flags }: State): State {
    const { cpu, sramView } = board.chip!
    ;[...code, breakpoint].forEach((halfword, i) => sramView.setUint16(at - 0x20000000 + 2 * i, halfword, true))
    cpu.resume()
    cpu.registers.set(registers)
    cpu.xPSR = flags << 28
    cpu.PC = at
    cpu.run(board.nanos + 1e9)
    assert.equal(cpu.halt?.kind, "breakpoint")
    return { registers: [...cpu.registers.subarray(0, 8)], flags: cpu.xPSR >>> 28 }
}

const reference = new RP2040()

/** The same in rp2040js' own interpreter. */
function interpreted(code: number[], { registers, flags }: State): State {
    const { core, sramView } = reference
    code.forEach((halfword, i) => sramView.setUint16(at - 0x20000000 + 2 * i, halfword, true))
    core.registers.set(registers)
    core.xPSR = flags << 28
    core.PC = at
    while (core.PC < at + 2 * code.length) core.executeInstruction()
    return { registers: [...core.registers.subarray(0, 8)], flags: core.xPSR >>> 28 }
}

const low = fc.nat(7)
const word = fc.oneof(fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff), fc.nat(0xffffffff), fc.nat(40))
const state = fc.record({ registers: fc.array(word, { minLength: 8, maxLength: 8 }), flags: fc.nat(15) })
/** Operations on two registers in which rp2040js 1.4.1 is right: AND, EOR, TST, RSB, CMP, ORR, MUL, BIC, MVN. */
const rightOnes = [0, 1, 8, 9, 10, 12, 13, 14, 15]
const instruction = fc.oneof(
    fc.nat(0x1fff).filter(op => op >> 11 !== 0b01 || (op & 0x7c0) !== 0), // shifts by numbers, ADD, SUB
    fc.nat(0x1fff).map(op => 0x2000 | op), // MOV, CMP, ADD, SUB with numbers
    fc.tuple(fc.constantFrom(...rightOnes), low, low).map(([op, m, n]) => 0x4000 | (op << 6) | (m << 3) | n),
    fc.tuple(fc.constantFrom(0, 1, 2, 3), low, low).map(([op, m, n]) => 0xb200 | (op << 6) | (m << 3) | n), // SXTH …
    fc.tuple(fc.constantFrom(0, 1, 3), low, low).map(([op, m, n]) => 0xba00 | (op << 6) | (m << 3) | n), // REV …
    fc.tuple(low, low).map(([m, n]) => 0x4600 | (m << 3) | n), // MOV without flags
    fc.nat(13).map(condition => 0xd000 | (condition << 8)), // a branch over one instruction
)

test("translated instructions do what rp2040js' interpreter does", () => {
    fc.assert(
        fc.property(fc.array(instruction, { minLength: 1, maxLength: 20 }), state, (code, before) => {
            // A branch at the end would lead behind it.
            const program = [...code, 0x46c0, 0x46c0]
            assert.deepEqual(translated(program, before), interpreted(program, before))
        }),
        { numRuns: 400 },
    )
})

/** In these rp2040js 1.4.1 has mistakes: shifts by 0 or by more than 31, and the overflow with a carry. */
const carried: [name: string, op: number, (a: bigint, b: bigint, c: bigint) => [result: bigint, carry: bigint]][] = [
    ["LSL", 2, (a, n, c) => (n ? [a << n, (a << n) >> 32n] : [a, c])],
    ["LSR", 3, (a, n, c) => (n ? [a >> n, (a << 1n) >> n] : [a, c])],
    ["ASR", 4, (a, n, c) => (n ? [BigInt.asIntN(32, a) >> n, (BigInt.asIntN(32, a) << 1n) >> n] : [a, c])],
    ["ROR", 7, (a, n, c) => (n ? [(a >> (n % 32n)) | (a << (32n - (n % 32n))), a >> ((n - 1n) % 32n)] : [a, c])],
    ["ADC", 5, (a, b, c) => [a + b + c, (a + b + c) >> 32n]],
    ["SBC", 6, (a, b, c) => [a - b - 1n + c, a >= b + 1n - c ? 1n : 0n]],
]

for (const [name, op, expected] of carried)
    test(`${name} by a register: result, carry and overflow`, () => {
        fc.assert(
            fc.property(word, word, fc.nat(15), (a, b, flags) => {
                const isShift = ![5, 6].includes(op)
                const carry = BigInt((flags >> 1) & 1)
                const [result, carryOut] = expected(BigInt(a), BigInt(isShift ? b & 255 : b), carry)
                const after = translated([0x4000 | (op << 6) | (1 << 3)], {
                    registers: [a, b, 0, 0, 0, 0, 0, 0],
                    flags,
                })
                const value = Number(BigInt.asUintN(32, result))
                assert.equal(after.registers[0], value)
                const sign = (x: number) => x >>> 31
                const other = op === 6 ? ~b >>> 0 : b
                const overflow = isShift ? flags & 1 : sign(a) === sign(other) && sign(a) !== sign(value) ? 1 : 0
                const z = value === 0 ? 1 : 0
                const expectedFlags = (sign(value) << 3) | (z << 2) | (Number(carryOut & 1n) << 1) | overflow
                assert.equal(after.flags.toString(2), expectedFlags.toString(2))
            }),
            { numRuns: 150 },
        )
    })
