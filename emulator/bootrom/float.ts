/**
 * The floating-point functions of the boot ROM's tables SF and SD (RP2040 data sheet 2.8.3.2), computed by this process:
 * IEEE 754 with numbers too small for a full mantissa taken as 0, NaN as an infinity, conversions rounded down and limited to
 * what fits.
 */

/** Arguments and results are registers: a float takes one, a double and a long integer two, the lower half first. */
export type Registers = Uint32Array

export interface FloatFormat {
    /** Registers of one number. */
    words: 1 | 2
    read(registers: Registers, at: number): number
    write(registers: Registers, at: number, value: number): void
    /** Cycles of a simple operation and of a function such as the sine: estimates. */
    cycles: number
    functionCycles: number
}

/** A function: its effect on the registers, and -1, 0 or 1 where it compares. */
export type FloatFunction = (registers: Registers) => number | void

const scratch = new DataView(new ArrayBuffer(8))
const smallestFloat = 2 ** -126
const smallestDouble = 2 ** -1022

function normal(value: number, isNegative: boolean, smallest: number): number {
    if (Number.isNaN(value)) return isNegative ? -Infinity : Infinity
    return Math.abs(value) < smallest ? (isNegative ? -0 : 0) : value
}

export const single: FloatFormat = {
    words: 1,
    read(registers, at) {
        scratch.setUint32(0, registers[at]!)
        return normal(scratch.getFloat32(0), registers[at]! >>> 31 === 1, smallestFloat)
    },
    write(registers, at, value) {
        scratch.setFloat32(0, normal(value, value < 0 || Object.is(value, -0), smallestFloat))
        registers[at] = scratch.getUint32(0)
    },
    cycles: 65,
    functionCycles: 600,
}

export const double: FloatFormat = {
    words: 2,
    read(registers, at) {
        scratch.setUint32(4, registers[at]!)
        scratch.setUint32(0, registers[at + 1]!)
        return normal(scratch.getFloat64(0), registers[at + 1]! >>> 31 === 1, smallestDouble)
    },
    write(registers, at, value) {
        scratch.setFloat64(0, normal(value, value < 0 || Object.is(value, -0), smallestDouble))
        registers[at] = scratch.getUint32(4)
        registers[at + 1] = scratch.getUint32(0)
    },
    cycles: 120,
    functionCycles: 1400,
}

/** The functions of a table in its order; undefined where it has none. */
export function floatTable(format: FloatFormat): (FloatFunction | undefined)[] {
    const { words, read, write } = format
    const other = words === 1 ? double : single
    const binary =
        (operation: (a: number, b: number) => number): FloatFunction =>
        r =>
            write(r, 0, operation(read(r, 0), read(r, words)))
    const unary =
        (operation: (a: number) => number): FloatFunction =>
        r =>
            write(r, 0, operation(read(r, 0)))
    const compare: FloatFunction = r => {
        const [a, b] = [read(r, 0), read(r, words)]
        const order = a < b ? -1 : a > b ? 1 : 0
        r[0] = order
        return order
    }
    /** Without touching the registers: the flags say it. */
    const compareFlags: FloatFunction = r => {
        const [a, b] = [read(r, 0), read(r, words)]
        return a < b ? -1 : a > b ? 1 : 0
    }
    const toInteger =
        (bits: 32 | 64, isSigned: boolean, isFixed: boolean): FloatFunction =>
        r => {
            const scale = isFixed ? 2 ** (r[words]! | 0) : 1
            writeInteger(r, Math.floor(read(r, 0) * scale), bits, isSigned)
        }
    const fromInteger =
        (bits: 32 | 64, isSigned: boolean, isFixed: boolean): FloatFunction =>
        r => {
            const value = readInteger(r, bits, isSigned)
            write(r, 0, isFixed ? value / 2 ** (r[bits / 32]! | 0) : value)
        }
    return [
        binary((a, b) => a + b),
        binary((a, b) => a - b),
        binary((a, b) => a * b),
        binary((a, b) => a / b),
        compare,
        compareFlags,
        unary(Math.sqrt),
        toInteger(32, true, false),
        toInteger(32, true, true),
        toInteger(32, false, false),
        toInteger(32, false, true),
        fromInteger(32, true, false),
        fromInteger(32, true, true),
        fromInteger(32, false, false),
        fromInteger(32, false, true),
        unary(Math.cos),
        unary(Math.sin),
        unary(Math.tan),
        r => {
            const angle = read(r, 0)
            write(r, 0, Math.sin(angle))
            write(r, words, Math.cos(angle))
        },
        unary(Math.exp),
        unary(Math.log),
        compare,
        binary(Math.atan2),
        fromInteger(64, true, false),
        fromInteger(64, true, true),
        fromInteger(64, false, false),
        fromInteger(64, false, true),
        toInteger(64, true, false),
        toInteger(64, true, true),
        toInteger(64, false, false),
        toInteger(64, false, true),
        r => other.write(r, 0, read(r, 0)),
    ]
}

/** Functions of the table that take longer than the others, by their index. */
export const longFunctions = new Set([15, 16, 17, 18, 19, 20, 22])

function writeInteger(registers: Registers, value: number, bits: 32 | 64, isSigned: boolean): void {
    const lowest = isSigned ? -(2n ** BigInt(bits - 1)) : 0n
    const highest = isSigned ? -lowest - 1n : 2n ** BigInt(bits) - 1n
    let integer: bigint
    if (value === Infinity) integer = highest
    else if (value === -Infinity) integer = lowest
    else integer = BigInt(value)
    if (integer < lowest) integer = lowest
    if (integer > highest) integer = highest
    registers[0] = Number(BigInt.asUintN(32, integer))
    if (bits === 64) registers[1] = Number(BigInt.asUintN(32, integer >> 32n))
}

/** A long integer is rounded to the nearest number once it becomes a double: as the ROM does. */
function readInteger(registers: Registers, bits: 32 | 64, isSigned: boolean): number {
    if (bits === 32) return isSigned ? registers[0]! | 0 : registers[0]!
    const value = (BigInt(registers[1]!) << 32n) | BigInt(registers[0]!)
    return Number(isSigned ? BigInt.asIntN(64, value) : value)
}
