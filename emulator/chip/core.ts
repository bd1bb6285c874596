import type { ChipClock } from "./clock.ts"
import { translate, type Code } from "./thumb.ts"

export const flashBase = 0x10000000
export const ramBase = 0x20000000

/** Exception numbers (ARMv6-M Architecture Reference Manual, B1.5.2). */
const NMI = 2
const HARD_FAULT = 3
const SVCALL = 11
const PENDSV = 14
const SYSTICK = 15
const firstInterrupt = 16
const lowestPriority = 4
/** No main loop sleeps that long. */
const longestSleepNanos = 60e9
const entryCycles = 15
const returnCycles = 13

/** Special registers of MRS and MSR (B5.2.2). */
const PSR = [0, 1, 2, 3, 5, 6, 7]
const MSP = 8
const PSP = 9
const PRIMASK = 16
const CONTROL = 20

const threadMode = 0
const handlerMode = 1
/** Where the flags stand in the state. */
const flags = { n: 16, z: 17, c: 18, v: 19 }

/** What the core reads and writes beyond its registers: the chip around it. */
export interface Memory {
    readonly ram: Uint8Array
    readonly flash: Uint8Array
    readUint32(address: number): number
    readUint16(address: number): number
    readUint8(address: number): number
    writeUint32(address: number, value: number): void
    writeUint16(address: number, value: number): void
    writeUint8(address: number, value: number): void
    /** Executes what stands at an address of the boot ROM; false where nothing does. */
    callRom(address: number): boolean
}

/** Why the core does not go on. */
export type Halt =
    /** A breakpoint instruction, or an exception in the handler of one: what a debugger would see. */
    | { kind: "breakpoint"; address: number }
    | { kind: "lockup"; address: number }
    /** It has slept for a minute, or nothing is left that could wake it. */
    | { kind: "stopped"; address: number }
    /** Reset, or without power. */
    | { kind: "off"; address: number }

type Run = () => number

/** Translated code in RAM, which may change. */
interface RamRun {
    run: Run
    indices: Uint32Array
    halfwords: Uint16Array
    /** In which it was compared with the RAM last. */
    round: number
}

function isSame(ram16: Uint16Array, { indices, halfwords }: RamRun): boolean {
    for (let i = 0; i < indices.length; i++) if (ram16[indices[i]!] !== halfwords[i]) return false
    return true
}

/**
 * A Cortex-M0+ whose instructions are translated to JavaScript, some at a time, when they are reached first. It takes the place
 * of rp2040js' own, which looks at each instruction anew; its peripherals see the same fields.
 */
export class Core {
    readonly clock: ChipClock
    /** R0 to R15; then N as a sign, Z as a zero, C as a bit, V as a sign. */
    readonly state = new Int32Array(20)
    readonly registers = new Uint32Array(this.state.buffer, 0, 16)
    /** PRIMASK: no interrupts. */
    PM = false
    IPSR = 0
    VTOR = 0
    SHPR2 = 0
    SHPR3 = 0
    enabledInterrupts = 0
    interruptPriorities = [0xffffffff, 0, 0, 0]
    pendingNMI = false
    pendingPendSV = false
    pendingSVCall = false
    pendingSystick = false
    waiting = false
    breakRewind = 0
    halt: Halt | undefined
    /** Called when the program goes to sleep in thread mode, with the address of the instruction. */
    onWait?: (address: number) => void
    /** Called when it has slept, with the nanoseconds. */
    onIdle?: (nanos: number) => void
    private readonly memory: Memory
    private readonly ram16: Uint16Array
    private readonly flashRuns: (Run | undefined)[]
    private readonly ramRuns: (RamRun | undefined)[] = []
    /** Addresses of runs by pages of the flash, to forget them when it changes. */
    private readonly pages = new Map<number, number[]>()
    private readonly marks = new Map<number, () => void>()
    private readonly code: Code
    private readonly scope: unknown[]
    private mode = threadMode
    private onProcessStack = false
    private otherStack = 0xfffffffc
    private isUnprivileged = false
    private eventRegistered = false
    private wakesWhenMasked = false
    private asleepSince = 0
    private lines = 0
    private latched = 0
    private isUpdated = false
    private hasFault = false
    /** Changes whenever code in RAM is to be looked at again: with each event, and after a barrier. */
    private round = 0

    constructor(memory: Memory, clock: ChipClock) {
        this.memory = memory
        this.clock = clock
        const { ram, flash } = memory
        this.ram16 = new Uint16Array(ram.buffer, ram.byteOffset, ram.length >> 1)
        this.flashRuns = new Array<Run | undefined>(flash.length >> 1).fill(undefined)
        const flash16 = new Uint16Array(flash.buffer, flash.byteOffset, flash.length >> 1)
        const flash32 = new Uint32Array(flash.buffer, flash.byteOffset, flash.length >> 2)
        this.code = {
            halfword: address => memory.readUint16(address),
            constant: address =>
                address >>> 24 === flashBase >>> 24 ? flash32[(address & (flash.length - 1)) >> 2] : undefined,
            isBoundary: address => this.marks.has(address),
        }
        this.scope = [
            this.state,
            clock.counters,
            this,
            ram,
            this.ram16,
            new Int32Array(ram.buffer, ram.byteOffset, ram.length >> 2),
            ...accesses(memory, clock, flash, flash16, flash32, address => this.fault(address)),
        ]
    }

    get SP(): number {
        return this.registers[13]!
    }

    set SP(value: number) {
        this.registers[13] = value & ~3
    }

    get LR(): number {
        return this.registers[14]!
    }

    set LR(value: number) {
        this.registers[14] = value
    }

    get PC(): number {
        return this.registers[15]!
    }

    set PC(value: number) {
        this.registers[15] = value & ~1
    }

    get xPSR(): number {
        const [n, z, c, v] = [flags.n, flags.z, flags.c, flags.v].map(at => this.state[at]!) as [
            number,
            number,
            number,
            number,
        ]
        const bits = (n < 0 ? 8 : 0) | (z === 0 ? 4 : 0) | (c ? 2 : 0) | (v < 0 ? 1 : 0)
        return ((bits << 28) | (1 << 24) | this.IPSR) >>> 0
    }

    set xPSR(value: number) {
        this.APSR = value
        this.IPSR = value & 0x3f
    }

    set APSR(value: number) {
        this.state[flags.n] = value & 0x80000000
        this.state[flags.z] = value & 0x40000000 ? 0 : 1
        this.state[flags.c] = (value >>> 29) & 1
        this.state[flags.v] = value & 0x10000000 ? -1 : 0
    }

    /** Interrupts whose line is up or which were up since they were taken last. */
    get pendingInterrupts(): number {
        return this.lines | this.latched
    }

    /** As by the Interrupt Set-Pending and Clear-Pending Registers: a line that is up stays so. */
    set pendingInterrupts(value: number) {
        this.latched = value & ~this.lines
        this.interruptsUpdated = true
    }

    get interruptsUpdated(): boolean {
        return this.isUpdated
    }

    set interruptsUpdated(value: boolean) {
        this.isUpdated = value
        if (value) this.clock.interrupt()
    }

    /** The exception that would be taken next; 0 where none is pending. */
    get vectPending(): number {
        return this.highestPending()
    }

    /** A peripheral raises its line or lowers it. What was pending stays so: it is the program that clears it. */
    setInterrupt(irq: number, value: boolean): void {
        const bit = 1 << irq
        if (value && !(this.lines & bit)) {
            this.latched |= bit
            this.lines |= bit
            this.interruptsUpdated = true
        } else if (!value) this.lines &= ~bit
    }

    /** Calls `fn` whenever the program comes to an address. */
    mark(address: number, fn: () => void): void {
        this.marks.set(address, fn)
        this.flashRuns.fill(undefined)
    }

    /** The flash has other contents there. */
    forget(offset: number, length: number): void {
        for (let page = (offset >> 12) - 1; page <= (offset + length) >> 12; page++) {
            for (const address of this.pages.get(page) ?? []) this.flashRuns[this.flashIndex(address)] = undefined
            this.pages.delete(page)
        }
    }

    /** Starts at a vector table. */
    start(vectors: number): void {
        this.VTOR = vectors
        this.SP = this.memory.readUint32(vectors)
        this.PC = this.memory.readUint32(vectors + 4)
    }

    /** Runs until a time of the chip's clock, or until it halts. */
    run(untilNanos: number): void {
        const { clock } = this
        const { counters } = clock
        while (!this.halt) {
            clock.runAlarms()
            if (this.isUpdated) this.takeException()
            if (clock.isAt(untilNanos)) return
            if (this.waiting) {
                const next = Math.min(clock.nextNanos, untilNanos)
                if (next === Infinity || clock.nanos - this.asleepSince > longestSleepNanos)
                    this.halt = { kind: "stopped", address: this.PC }
                else {
                    const before = clock.nanos
                    clock.skipTo(next)
                    this.onIdle?.(clock.nanos - before)
                }
                continue
            }
            counters[1] = clock.cycleAt(Math.min(clock.nextNanos, untilNanos))
            this.round++
            this.dispatch()
        }
    }

    /** Runs one instruction. */
    step(): void {
        this.clock.runAlarms()
        if (this.isUpdated) this.takeException()
        if (this.waiting || this.halt) return
        const { state } = this
        if (this.memory.callRom(this.PC)) return
        state[15] = this.compile(this.PC, 1).run()
    }

    /** For what stands in the boot ROM: returns to whoever called. */
    returnFromCall(): void {
        this.PC = this.LR
    }

    /** For good: the chip is reset, or without power. */
    stop(): void {
        this.halt = { kind: "off", address: this.PC }
        this.clock.interrupt()
    }

    /** A debugger goes on behind a breakpoint. */
    resume(): void {
        this.halt = undefined
    }

    // What translated code calls; the program counter is at the next instruction.

    /** CPSIE i */
    enableInterrupts(): void {
        this.PM = false
        // Programs do it all the time; mostly nothing has waited for it.
        if (this.highestPending()) this.interruptsUpdated = true
    }

    /** DSB, DMB, ISB: what was written may be code. */
    barrier(): void {
        this.round++
    }

    sendEvent(): void {
        this.eventRegistered = true
    }

    waitForEvent(): void {
        if (this.IPSR === 0) this.onWait?.(this.PC - 2)
        if (this.eventRegistered) this.eventRegistered = false
        else this.sleep(false)
    }

    waitForInterrupt(): void {
        if (this.IPSR === 0) this.onWait?.(this.PC - 2)
        this.sleep(true)
    }

    supervisorCall(): void {
        this.pendingSVCall = true
        this.interruptsUpdated = true
    }

    breakpoint(_code: number): void {
        this.PC -= 2
        this.breakRewind = 0
        this.halt = { kind: "breakpoint", address: this.PC }
        this.clock.interrupt()
    }

    undefinedInstruction(address: number): void {
        this.PC = address
        this.fault(address)
    }

    moveToSpecial(special: number, value: number): void {
        this.writeSpecialRegister(special, value)
    }

    moveFromSpecial(register: number, special: number): void {
        this.registers[register] = this.readSpecialRegister(special)
    }

    readSpecialRegister(special: number): number {
        if (special === 5) return this.IPSR
        if (PSR.includes(special)) return special & 4 ? this.IPSR : this.xPSR & (special & 1 ? ~0 : ~0x3f)
        switch (special) {
            case MSP:
                return this.onProcessStack ? this.otherStack : this.SP
            case PSP:
                return this.onProcessStack ? this.SP : this.otherStack
            case PRIMASK:
                return this.PM ? 1 : 0
            case CONTROL:
                return (this.onProcessStack ? 2 : 0) | (this.isUnprivileged ? 1 : 0)
        }
        return 0
    }

    writeSpecialRegister(special: number, value: number): void {
        if (special < 4) this.APSR = value
        switch (special) {
            case MSP:
            case PSP:
                if (this.onProcessStack === (special === PSP)) this.SP = value
                else this.otherStack = value & ~3
                return
            case PRIMASK:
                this.PM = (value & 1) !== 0
                this.interruptsUpdated = true
                return
            case CONTROL:
                this.isUnprivileged = (value & 1) !== 0
                if (this.mode === threadMode) this.useStack((value & 2) !== 0)
        }
    }

    /** An access or an instruction that a Cortex-M0+ refuses; what is being executed ends before the exception. */
    private fault(address: number): void {
        if (this.IPSR === HARD_FAULT || this.IPSR === NMI) this.halt = { kind: "lockup", address }
        this.hasFault = true
        this.interruptsUpdated = true
    }

    private sleep(wakesWhenMasked: boolean): void {
        this.waiting = true
        this.asleepSince = this.clock.nanos
        this.wakesWhenMasked = wakesWhenMasked
        this.interruptsUpdated = true
    }

    private dispatch(): void {
        const { state, flashRuns } = this
        const { counters } = this.clock
        const mask = 2 * flashRuns.length - 1
        let pc = state[15]!
        while (counters[0]! < counters[1]!) {
            const area = pc >>> 24
            let run: Run | undefined
            if (area === flashBase >>> 24) run = flashRuns[(pc & mask) >>> 1]
            else if (area === ramBase >>> 24) run = this.inRam(pc)
            if (run !== undefined) pc = run()
            else {
                state[15] = pc
                this.elsewhere(pc)
                pc = state[15]!
            }
        }
        state[15] = pc
    }

    /** Runs what is not translated yet, or stands in RAM or ROM, or ends an exception. */
    private elsewhere(pc: number): void {
        if (pc >>> 28 === 15 && this.mode === handlerMode) this.leave(pc | 1)
        else if (pc >>> 24 === flashBase >>> 24) {
            const { run } = this.compile(pc)
            const mark = this.marks.get(pc)
            const marked = mark ? () => (mark(), run()) : run
            this.flashRuns[this.flashIndex(pc)] = marked
            this.state[15] = marked()
        } else if (pc >>> 24 === ramBase >>> 24) this.state[15] = this.inRam(pc)()
        else if (!this.memory.callRom(pc)) this.fault(pc)
    }

    /** Code in RAM may be other code than last time. */
    private inRam(pc: number): Run {
        const known = this.ramRuns[(pc - ramBase) >>> 1]
        if (known && (known.round === this.round || isSame(this.ram16, known))) {
            known.round = this.round
            return known.run
        }
        const { run, addresses } = this.compile(pc)
        const indices = Uint32Array.from(
            addresses.flatMap(address => [address, address + 2]),
            address => (address - ramBase) >>> 1,
        )
        const halfwords = Uint16Array.from(indices, index => this.ram16[index] ?? 0)
        this.ramRuns[(pc - ramBase) >>> 1] = { run, indices, halfwords, round: this.round }
        return run
    }

    private compile(pc: number, most?: number): { run: Run; addresses: number[] } {
        const { source, addresses } = translate(pc, this.code, most)
        // Translated instructions are the point of this: the source is made of opcodes, it contains nothing else.
        const names = "S,T,K,M8,M16,M32,RAM,ld8,ld16,ld32,st8,st16,st32"
        const make = new Function(names, `"use strict";return function(){${source}}`) as (...scope: unknown[]) => Run
        if (pc >>> 24 === flashBase >>> 24)
            for (const page of new Set(addresses.map(address => (address & 0xffffff) >> 12)))
                this.pages.set(page, [...(this.pages.get(page) ?? []), pc])
        return { run: make(...this.scope), addresses }
    }

    private flashIndex(address: number): number {
        return (address & (2 * this.flashRuns.length - 1)) >>> 1
    }

    private priority(exception: number): number {
        switch (exception) {
            case NMI:
                return -2
            case HARD_FAULT:
                return -1
            case SVCALL:
                return this.SHPR2 >>> 30
            case PENDSV:
                return (this.SHPR3 >>> 22) & 3
            case SYSTICK:
                return this.SHPR3 >>> 30
        }
        const bit = 1 << (exception - firstInterrupt)
        const priority = this.interruptPriorities.findIndex(mask => mask & bit)
        return exception < firstInterrupt || priority < 0 ? lowestPriority : priority
    }

    private highestPending(): number {
        const interrupts = this.pendingInterrupts & this.enabledInterrupts
        if (this.pendingNMI) return NMI
        if (!interrupts && !this.pendingSVCall && !this.pendingPendSV && !this.pendingSystick) return 0
        for (let priority = 0; priority < lowestPriority; priority++) {
            if (this.pendingSVCall && this.priority(SVCALL) === priority) return SVCALL
            if (this.pendingPendSV && this.priority(PENDSV) === priority) return PENDSV
            if (this.pendingSystick && this.priority(SYSTICK) === priority) return SYSTICK
            const level = interrupts & this.interruptPriorities[priority]!
            if (level) return firstInterrupt + 31 - Math.clz32(level & -level)
        }
        return 0
    }

    private takeException(): void {
        this.isUpdated = false
        if (this.hasFault) {
            this.hasFault = false
            return this.enter(HARD_FAULT)
        }
        const exception = this.highestPending()
        if (!exception) return
        const priority = this.priority(exception)
        if (this.IPSR !== 0 && priority >= this.priority(this.IPSR)) return
        if (this.PM && priority >= 0) {
            if (this.wakesWhenMasked) this.waiting = false
            return
        }
        this.waiting = false
        if (exception === NMI) this.pendingNMI = false
        else if (exception === SVCALL) this.pendingSVCall = false
        else if (exception === PENDSV) this.pendingPendSV = false
        else if (exception === SYSTICK) this.pendingSystick = false
        else this.latched &= ~(1 << (exception - firstInterrupt))
        this.enter(exception)
    }

    private useStack(process: boolean): void {
        if (process === this.onProcessStack) return
        const other = this.otherStack
        this.otherStack = this.SP
        this.SP = other
        this.onProcessStack = process
    }

    /** Exception entry (B1.5.6). */
    private enter(exception: number): void {
        const { memory, registers } = this
        const psr = this.xPSR
        const isUnaligned = this.SP & 4
        this.SP = (this.SP - 32) & ~4
        const frame = [...registers.subarray(0, 4), registers[12]!, this.LR, this.PC, psr | (isUnaligned << 7)]
        frame.forEach((word, i) => memory.writeUint32((this.SP + 4 * i) >>> 0, word >>> 0))
        if (this.mode === handlerMode) this.LR = 0xfffffff1
        else this.LR = this.onProcessStack ? 0xfffffffd : 0xfffffff9
        this.mode = handlerMode
        this.IPSR = exception
        this.useStack(false)
        this.eventRegistered = true
        this.PC = memory.readUint32(this.VTOR + 4 * exception)
        this.clock.counters[0]! += entryCycles
        this.interruptsUpdated = true
    }

    /** Exception return (B1.5.8). */
    private leave(how: number): void {
        const { memory, registers } = this
        this.mode = (how & 15) === 1 ? handlerMode : threadMode
        this.useStack((how & 15) === 13)
        const frame = Array.from({ length: 8 }, (_, i) => memory.readUint32((this.SP + 4 * i) >>> 0))
        registers.set(frame.slice(0, 4))
        registers[12] = frame[4]!
        this.LR = frame[5]!
        this.PC = frame[6]!
        this.xPSR = frame[7]!
        this.SP = (this.SP + 32) | ((frame[7]! >>> 7) & 4)
        this.eventRegistered = true
        this.clock.counters[0]! += returnCycles
        this.interruptsUpdated = true
    }
}

/** Memory accesses of translated code that do not go to RAM; the first argument is the address less that of the RAM. */
function accesses(
    memory: Memory,
    clock: ChipClock,
    flash: Uint8Array,
    flash16: Uint16Array,
    flash32: Uint32Array,
    fault: (address: number) => void,
): unknown[] {
    const { counters } = clock
    const flashOffset = (flashBase - ramBase) | 0
    const isFlash = (offset: number) => (offset - flashOffset) >>> 24 === 0
    const mask = flash.length - 1
    const at = (offset: number) => (offset + ramBase) >>> 0
    /** Bridges to peripherals take some cycles more (RP2040 data sheet 2.1.4). */
    const outside = <T>(offset: number, cycles: number, size: number, access: (address: number) => T): T | 0 => {
        const address = at(offset)
        if (address & (size - 1)) {
            fault(address)
            return 0
        }
        counters[2] = cycles
        const result = access(address)
        counters[2] = 0
        const page = address >>> 28
        if (page === 4 || page === 5) counters[0]! += 2
        return result
    }
    const isInterrupted = (cycles: number) => counters[1]! <= counters[0]! + cycles
    return [
        memory.ram.length,
        (offset: number, cycles: number) =>
            isFlash(offset)
                ? flash[(offset - flashOffset) & mask]
                : outside(offset, cycles, 1, address => memory.readUint8(address)),
        (offset: number, cycles: number) =>
            isFlash(offset) && !(offset & 1)
                ? flash16[((offset - flashOffset) & mask) >> 1]
                : outside(offset, cycles, 2, address => memory.readUint16(address)),
        (offset: number, cycles: number) =>
            isFlash(offset) && !(offset & 3)
                ? flash32[((offset - flashOffset) & mask) >> 2]! | 0
                : outside(offset, cycles, 4, address => memory.readUint32(address) | 0),
        (offset: number, value: number, cycles: number) => {
            outside(offset, cycles, 1, address => memory.writeUint8(address, value & 0xff))
            return isInterrupted(cycles)
        },
        (offset: number, value: number, cycles: number) => {
            outside(offset, cycles, 2, address => memory.writeUint16(address, value & 0xffff))
            return isInterrupted(cycles)
        },
        (offset: number, value: number, cycles: number) => {
            outside(offset, cycles, 4, address => memory.writeUint32(address, value >>> 0))
            return isInterrupted(cycles)
        },
    ]
}
