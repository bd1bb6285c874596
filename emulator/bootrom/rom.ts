import { double, floatTable, longFunctions, single, type FloatFormat, type Registers } from "./float.ts"

/**
 * A boot ROM of our own with the tables of the real one (RP2040 data sheet 2.8.2 and 2.8.3), and functions that this process
 * computes. The real one may be used on an RP2040 only, or under the GPL.
 */

/** What a function of the ROM works on. */
export interface RomHost {
    registers: Registers
    readUint8(address: number): number
    writeUint8(address: number, value: number): void
    readUint16(address: number): number
    readUint32(address: number): number
    /** Sets the flags as a comparison of integers with this order does. */
    setOrder(order: number): void
    eraseFlash(offset: number, length: number): void
    programFlash(offset: number, bytes: Uint8Array): void
    /** The flash is no longer read as memory, or is again. */
    flashCommand(name: "connect" | "exit XIP" | "flush" | "enter XIP"): void
    /** Reboots into the ROM's own USB drive. */
    bootToUsb(): void
}

/** Returns the cycles that it takes. */
export type RomFunction = (host: RomHost) => number

const romBytes = 16 * 1024
/** Of the boards that are sold: with doubles and long integers. */
const version = 3
const MAGIC = 0x10
const FUNCTION_TABLE = 0x14
const DATA_TABLE = 0x16
const TABLE_LOOKUP = 0x18
const tablesAt = 0x40
const functionsAt = 0x400
const stubBytes = 4
/** BKPT; BX LR: the emulator does what the function does before it gets there. */
const stub = 0x4770be00
const callCycles = 10

/** Cycles are estimates: what the ROM's loops need for aligned and for other memory. */
const alignedCyclesPerByte = 0.85
const cyclesPerByte = 5.5

function copyCycles(length: number, ...addresses: number[]): number {
    const isAligned = addresses.every(address => address % 4 === addresses[0]! % 4)
    return 20 + Math.ceil(length * (isAligned ? alignedCyclesPerByte : cyclesPerByte))
}

const copy: RomFunction = host => {
    const [to, from, length] = host.registers as Registers & [number, number, number]
    for (let i = 0; i < length; i++) host.writeUint8(to + i, host.readUint8(from + i))
    return copyCycles(length, to, from)
}

const fill: RomFunction = host => {
    const [to, value, length] = host.registers as Registers & [number, number, number]
    for (let i = 0; i < length; i++) host.writeUint8(to + i, value & 0xff)
    return copyCycles(length, to)
}

const bits =
    (operation: (value: number) => number, cycles: number): RomFunction =>
    ({ registers }) => {
        registers[0] = operation(registers[0]!)
        return cycles
    }

function reverse(value: number): number {
    let result = 0
    for (let i = 0; i < 32; i++) result |= ((value >>> i) & 1) << (31 - i)
    return result
}

function ones(value: number): number {
    let count = 0
    for (let rest = value >>> 0; rest; rest &= rest - 1) count++
    return count
}

/** What follows a call into the flash; the times of the flash itself come on top. */
const functions: Record<string, RomFunction> = {
    P3: bits(ones, 18),
    R3: bits(reverse, 21),
    L3: bits(Math.clz32, 28),
    T3: bits(value => (value ? 31 - Math.clz32(value & -value) : 32), 28),
    MS: fill,
    S4: fill,
    MC: copy,
    C4: copy,
    UB: host => (host.bootToUsb(), 0),
    IF: host => (host.flashCommand("connect"), 100),
    EX: host => (host.flashCommand("exit XIP"), 600),
    RE: host => (host.eraseFlash(host.registers[0]!, host.registers[1]!), 100),
    RP: host => {
        const [offset, from, length] = host.registers as Registers & [number, number, number]
        const bytes = Uint8Array.from({ length }, (_, i) => host.readUint8(from + i))
        host.programFlash(offset, bytes)
        return 100
    },
    FC: host => (host.flashCommand("flush"), 50),
    CX: host => (host.flashCommand("enter XIP"), 200),
}

const lookUp: RomFunction = host => {
    const [table, code] = host.registers as Registers & [number, number]
    for (let at = table, i = 0; ; at += 4, i++) {
        const found = host.readUint16(at)
        if (found === 0 || found === (code & 0xffff)) {
            host.registers[0] = found && host.readUint16(at + 2)
            return 20 + 9 * i
        }
    }
}

function tableFunctions(format: FloatFormat): (RomFunction | undefined)[] {
    return floatTable(format).map((compute, i) => {
        if (!compute) return undefined
        return host => {
            const order = compute(host.registers)
            if (order !== undefined) host.setOrder(order)
            return longFunctions.has(i) ? format.functionCycles : format.cycles
        }
    })
}

/** The ROM's contents, and what stands at which address in it. */
export class BootRom {
    readonly words = new Uint32Array(romBytes / 4)
    private readonly bytes = new DataView(this.words.buffer)
    private readonly byAddress = new Map<number, RomFunction>()
    private nextFunction = functionsAt
    private nextTable = tablesAt

    constructor() {
        const tables = { SF: this.floatTable(single), SD: this.floatTable(double) }
        const calls = Object.entries(functions).map(([code, fn]): [string, number] => [code, this.add(fn)])
        // "Mu", 1, version; then pointers to the tables and to what finds a code in them.
        this.bytes.setUint32(MAGIC, 0x4d | (0x75 << 8) | (1 << 16) | (version << 24), true)
        this.bytes.setUint16(FUNCTION_TABLE, this.codeTable(calls), true)
        this.bytes.setUint16(DATA_TABLE, this.codeTable(Object.entries(tables)), true)
        this.bytes.setUint16(TABLE_LOOKUP, this.add(lookUp), true)
    }

    /** Executes what stands at an address; undefined where nothing does. @returns cycles */
    call(address: number, host: RomHost): number | undefined {
        const fn = this.byAddress.get(address)
        return fn && callCycles + fn(host)
    }

    /** @returns its address, with the bit that stands for Thumb */
    private add(fn: RomFunction): number {
        const address = this.nextFunction
        this.nextFunction += stubBytes
        this.bytes.setUint32(address, stub, true)
        this.byAddress.set(address, fn)
        return address | 1
    }

    /** Codes of two letters, and where what they stand for is; 0 ends it. */
    private codeTable(entries: [string, number][]): number {
        const start = this.nextTable
        for (const [code, address] of entries) {
            this.bytes.setUint16(this.nextTable, code.charCodeAt(0) | (code.charCodeAt(1) << 8), true)
            this.bytes.setUint16(this.nextTable + 2, address, true)
            this.nextTable += 4
        }
        this.nextTable += 4
        return start
    }

    /** Addresses of functions; the byte 2 before them says how many. */
    private floatTable(format: FloatFormat): number {
        const table = tableFunctions(format)
        const start = this.nextTable + 4
        this.bytes.setUint16(start - 2, table.length, true)
        table.forEach((fn, i) => this.bytes.setUint32(start + 4 * i, fn ? this.add(fn) : 0, true))
        this.nextTable = start + 4 * table.length
        return start
    }
}
