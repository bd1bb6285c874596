/**
 * ARMv6-M Thumb instructions as JavaScript (ARMv6-M Architecture Reference Manual, A6.7). A run of instructions becomes one
 * function, so that what is emulated is compiled as everything else in this process is. Cycles are those of a Cortex-M0+
 * (Technical Reference Manual, 3.3), with memory that does not wait.
 */

/** Bits of the flags in what an instruction reads and writes. */
const N = 8
const Z = 4
const C = 2
const V = 1
const NZ = N | Z
const NZC = N | Z | C
const NZCV = N | Z | C | V

const SP = 13
const LR = 14
const PC = 15

/** More instructions in one function are seldom run through. */
const maxInstructions = 64

export interface Code {
    /** The halfword at an address. */
    halfword(address: number): number
    /** The word at an address, where it does not change: then it becomes a constant. */
    constant(address: number): number | undefined
    /** Whether no run goes on across this address. */
    isBoundary(address: number): boolean
}

/** A run of instructions, translated. */
export interface Translation {
    /** Body of a function; see `Core` for what it finds in its scope. */
    source: string
    /** Addresses of the instructions in it. */
    addresses: number[]
}

interface Instruction {
    cycles: number
    reads: number
    writes: number
    /** JavaScript for it; `live` are the flags that somebody reads later. */
    code: (live: number) => string
    /** Nothing is executed after it in this run. */
    ends?: boolean
    /** Execution goes on there. */
    continues?: number
    /** Goes there where a condition holds. */
    branch?: { condition: string; target: number; cycles: number }
}

/** @param most at most so many instructions */
export function translate(start: number, code: Code, most = maxInstructions): Translation {
    return new Run(start, code, most).translate()
}

/** The instructions that follow one another from `start` on. */
class Run {
    private readonly start: number
    private readonly code: Code
    private readonly most: number
    private readonly used = new Set<string>()
    private readonly changed = new Set<string>()
    /** Cycles so far, of the instruction that is being translated and those before it. */
    private cycles = 0
    private pc = 0
    private next = 0
    /** What the core does after the last instruction, with all registers where they belong. */
    private epilogue = ""

    constructor(start: number, code: Code, most: number) {
        this.start = start
        this.code = code
        this.most = most
    }

    translate(): Translation {
        const addresses: number[] = []
        const instructions: Instruction[] = []
        const before: number[] = []
        const places: { pc: number; next: number }[] = []
        this.pc = this.start
        for (;;) {
            const opcode = this.code.halfword(this.pc)
            const isWide = opcode >>> 11 >= 0x1d
            this.next = this.pc + (isWide ? 4 : 2)
            const instruction = isWide ? this.wide(opcode, this.code.halfword(this.pc + 2)) : this.narrow(opcode)
            addresses.push(this.pc)
            instructions.push(instruction)
            places.push({ pc: this.pc, next: this.next })
            before.push(this.cycles)
            this.cycles += instruction.cycles
            if (instruction.ends) break
            const next = instruction.continues ?? this.next
            const isFull = instructions.length >= this.most || addresses.includes(next) || this.code.isBoundary(next)
            this.pc = next
            if (isFull) {
                instructions.push({ cycles: 0, reads: NZCV, writes: 0, code: () => this.exit(next), ends: true })
                places.push({ pc: next, next })
                before.push(this.cycles)
                break
            }
        }
        const live = this.liveness(instructions)
        let body = ""
        instructions.forEach((instruction, i) => {
            this.cycles = before[i]!
            this.pc = places[i]!.pc
            this.next = places[i]!.next
            body += instruction.code(live[i]!) + "\n"
            if (instruction.branch) body += this.branch(instruction)
        })
        const names = [...new Set([...this.used, ...this.changed])]
        const source = [
            ...names.map(name => `let ${name}=S[${slot(name)}];`),
            "let t=0,u=0,a=false,k=0,pc=0;",
            `x:for(;;){\n${body}}`,
            ...[...this.changed].map(name => `S[${slot(name)}]=${name};`),
            "T[0]+=k;",
            this.epilogue && `if(a){S[15]=pc;${this.epilogue};return S[15]}`,
            "return pc",
        ]
        return { source: source.join("\n"), addresses }
    }

    /** Which flags somebody reads after each instruction; behind the end of the run it may be anybody. */
    private liveness(instructions: Instruction[]): number[] {
        const after: number[] = []
        let live = NZCV
        for (let i = instructions.length - 1; i >= 0; i--) {
            const { reads, writes, branch, ends } = instructions[i]!
            if (branch || ends) live = NZCV
            after[i] = live
            live = (live & ~writes) | reads
        }
        return after
    }

    private exit(target: number, cycles = this.cycles): string {
        return `pc=${target};k=${cycles};break x;`
    }

    private branch({ cycles, branch }: Instruction): string {
        const { condition, target, cycles: extra } = branch!
        const taken = this.cycles + cycles + extra
        if (target !== this.start) return `if(${condition}){${this.exit(target, taken)}}\n`
        // A loop: it is left where its time is up or something else is due.
        return `if(${condition}){T[0]+=${taken};if(T[0]<T[1])continue x;${this.exit(target, 0)}}\n`
    }

    private get(register: number): string {
        if (register === PC) return String(this.pc + 4)
        const name = `r${register}`
        this.used.add(name)
        return name
    }

    private set(register: number): string {
        const name = `r${register}`
        this.changed.add(name)
        return name
    }

    private flag(name: "n" | "z" | "c" | "v"): string {
        this.used.add(name)
        return name
    }

    private setFlag(name: "n" | "z" | "c" | "v"): string {
        this.changed.add(name)
        return name
    }

    private setNZ(live: number, value: string): string {
        let code = ""
        if (live & N) code += `${this.setFlag("n")}=${value};`
        if (live & Z) code += `${this.setFlag("z")}=${value};`
        return code
    }

    private simple(code: () => string, cycles = 1): Instruction {
        return { cycles, reads: 0, writes: 0, code }
    }

    /** @param value of the result, from registers @param carry what becomes of C */
    private logic(destination: number | undefined, value: () => string, carry?: () => string): Instruction {
        const code = (live: number) => {
            const result = value()
            let code = `u=${result};`
            if (carry && live & C) code += `t=${carry()};${this.setFlag("c")}=t;`
            if (destination !== undefined) code += `${this.set(destination)}=u;`
            return code + this.setNZ(live, "u")
        }
        return { cycles: 1, reads: 0, writes: carry ? NZC : NZ, code }
    }

    /** `a + b`, with the carry where `withCarry`. */
    private add(destination: number | undefined, a: () => string, b: () => string, withCarry = false): Instruction {
        const code = (live: number) => {
            const [x, y] = [a(), b()]
            let code = `t=${x}+${y}${withCarry ? `+${this.flag("c")}` : ""}|0;`
            if (live & V) code += `${this.setFlag("v")}=(${x}^t)&(${y}^t);`
            if (live & C) {
                const isBelow = `(t>>>0)<(${x}>>>0)`
                const carry = withCarry ? `(${this.flag("c")}?(t>>>0)<=(${x}>>>0):${isBelow})` : isBelow
                code += `${this.setFlag("c")}=${carry}?1:0;`
            }
            if (destination !== undefined) code += `${this.set(destination)}=t;`
            return code + this.setNZ(live, "t")
        }
        return { cycles: 1, reads: withCarry ? C : 0, writes: NZCV, code }
    }

    /** `a - b`, less one where `withCarry` and there is none. */
    private subtract(
        destination: number | undefined,
        a: () => string,
        b: () => string,
        withCarry = false,
    ): Instruction {
        const code = (live: number) => {
            const [x, y] = [a(), b()]
            let code = `t=${x}-${y}${withCarry ? `-1+${this.flag("c")}` : ""}|0;`
            if (live & V) code += `${this.setFlag("v")}=(${x}^${y})&(${x}^t);`
            if (live & C) {
                const isNotBelow = `(${x}>>>0)>=(${y}>>>0)`
                const carry = withCarry ? `(${this.flag("c")}?${isNotBelow}:(${x}>>>0)>(${y}>>>0))` : isNotBelow
                code += `${this.setFlag("c")}=${carry}?1:0;`
            }
            if (destination !== undefined) code += `${this.set(destination)}=t;`
            return code + this.setNZ(live, "t")
        }
        return { cycles: 1, reads: withCarry ? C : 0, writes: NZCV, code }
    }

    private narrow(op: number): Instruction {
        const low = op & 7
        const middle = (op >> 3) & 7
        const high = (op >> 6) & 7
        const byte = op & 255
        const upper = (op >> 8) & 7
        const five = (op >> 6) & 31
        const reg = (register: number) => () => this.get(register)
        const number = (value: number) => () => String(value)
        switch (op >> 11) {
            case 0b00000:
                return five === 0 ? this.logic(low, reg(middle)) : this.shiftLeft(low, middle, five)
            case 0b00001:
                return this.shiftRight(low, middle, five || 32, false)
            case 0b00010:
                return this.shiftRight(low, middle, five || 32, true)
            case 0b00011: {
                const operand = op & 0x400 ? number(high) : reg(high)
                const operation = op & 0x200 ? "subtract" : "add"
                return this[operation](low, reg(middle), operand)
            }
            case 0b00100:
                return this.logic(upper, number(byte))
            case 0b00101:
                return this.subtract(undefined, reg(upper), number(byte))
            case 0b00110:
                return this.add(upper, reg(upper), number(byte))
            case 0b00111:
                return this.subtract(upper, reg(upper), number(byte))
            case 0b01000:
                return op & 0x400 ? this.highRegisters(op) : this.dataProcessing(high | ((op >> 6) & 8), low, middle)
            case 0b01001: {
                const address = ((this.pc & ~3) + 4 + byte * 4) >>> 0
                const constant = this.code.constant(address)
                if (constant !== undefined) return this.simple(() => `${this.set(upper)}=${constant | 0};`, 2)
                return this.load(upper, () => String(address | 0), 4)
            }
            case 0b01010:
            case 0b01011: {
                const address = () => `${this.get(middle)}+${this.get(high)}`
                const kind = (op >> 9) & 7
                if (kind === 0) return this.store(low, address, 4)
                if (kind === 1) return this.store(low, address, 2)
                if (kind === 2) return this.store(low, address, 1)
                if (kind === 3) return this.load(low, address, 1, true)
                if (kind === 4) return this.load(low, address, 4)
                if (kind === 5) return this.load(low, address, 2)
                return kind === 6 ? this.load(low, address, 1) : this.load(low, address, 2, true)
            }
            case 0b01100:
                return this.store(low, () => `${this.get(middle)}+${five * 4}`, 4)
            case 0b01101:
                return this.load(low, () => `${this.get(middle)}+${five * 4}`, 4)
            case 0b01110:
                return this.store(low, () => `${this.get(middle)}+${five}`, 1)
            case 0b01111:
                return this.load(low, () => `${this.get(middle)}+${five}`, 1)
            case 0b10000:
                return this.store(low, () => `${this.get(middle)}+${five * 2}`, 2)
            case 0b10001:
                return this.load(low, () => `${this.get(middle)}+${five * 2}`, 2)
            case 0b10010:
                return this.store(upper, () => `${this.get(SP)}+${byte * 4}`, 4)
            case 0b10011:
                return this.load(upper, () => `${this.get(SP)}+${byte * 4}`, 4)
            case 0b10100: {
                const address = (this.pc & ~3) + 4 + byte * 4
                return this.simple(() => `${this.set(upper)}=${address | 0};`)
            }
            case 0b10101:
                return this.simple(() => `${this.set(upper)}=${this.get(SP)}+${byte * 4}|0;`)
            case 0b10110:
            case 0b10111:
                return this.miscellaneous(op)
            case 0b11000:
                return this.storeMultiple(upper, byte)
            case 0b11001:
                return this.loadMultiple(upper, byte)
            case 0b11010:
            case 0b11011:
                return this.conditional(op)
            case 0b11100: {
                const target = this.pc + 4 + (((op & 0x7ff) << 21) >> 20)
                return { ...this.simple(() => "", 2), continues: target }
            }
        }
        return this.undefined()
    }

    private shiftLeft(destination: number, source: number, count: number): Instruction {
        const bit = 32 - count
        return this.logic(
            destination,
            () => `${this.get(source)}<<${count}`,
            () => `(${this.get(source)}>>>${bit})&1`,
        )
    }

    private shiftRight(destination: number, source: number, count: number, isArithmetic: boolean): Instruction {
        const value = () => {
            if (isArithmetic) return `${this.get(source)}>>${Math.min(count, 31)}`
            return count === 32 ? "0" : `${this.get(source)}>>>${count}|0`
        }
        return this.logic(destination, value, () => `(${this.get(source)}>>>${count - 1})&1`)
    }

    private dataProcessing(operation: number, low: number, middle: number): Instruction {
        const [a, b] = [() => this.get(low), () => this.get(middle)]
        switch (operation) {
            case 0:
                return this.logic(low, () => `${a()}&${b()}`)
            case 1:
                return this.logic(low, () => `${a()}^${b()}`)
            case 2:
            case 3:
            case 4:
            case 7:
                return this.shiftByRegister(operation, low, middle)
            case 5:
                return this.add(low, a, b, true)
            case 6:
                return this.subtract(low, a, b, true)
            case 8:
                return this.logic(undefined, () => `${a()}&${b()}`)
            case 9:
                return this.subtract(low, () => "0", b)
            case 10:
                return this.subtract(undefined, a, b)
            case 11:
                return this.add(undefined, a, b)
            case 12:
                return this.logic(low, () => `${a()}|${b()}`)
            case 13:
                return this.logic(low, () => `Math.imul(${a()},${b()})`)
            case 14:
                return this.logic(low, () => `${a()}&~${b()}`)
            default:
                return this.logic(low, () => `~${b()}`)
        }
    }

    /** LSLS, LSRS, ASRS and RORS by the lowest byte of a register; by 0 nothing but N and Z changes. */
    private shiftByRegister(operation: number, low: number, middle: number): Instruction {
        const value: Record<number, (a: string) => string> = {
            2: a => `t>31?0:${a}<<t`,
            3: a => `t>31?0:${a}>>>t|0`,
            4: a => `${a}>>(t>31?31:t)`,
            7: a => `${a}>>>(t&31)|${a}<<(32-t&31)`,
        }
        const carry: Record<number, (a: string) => string> = {
            2: a => `t>32?0:(${a}>>>(32-t))&1`,
            3: a => `t>32?0:(${a}>>>(t-1))&1`,
            4: a => `(${a}>>(t>31?31:t-1))&1`,
            7: a => `(${a}>>>(t-1&31))&1`,
        }
        const code = (live: number) => {
            const a = this.get(low)
            let code = `t=${this.get(middle)}&255;u=${value[operation]!(a)};`
            if (live & C) code += `if(t!==0)${this.setFlag("c")}=${carry[operation]!(a)};`
            return code + `${this.set(low)}=u;` + this.setNZ(live, "u")
        }
        return { cycles: 1, reads: C, writes: NZ, code }
    }

    private highRegisters(op: number): Instruction {
        const destination = (op & 7) | ((op >> 4) & 8)
        const source = (op >> 3) & 15
        const operation = (op >> 8) & 3
        if (operation === 1)
            return this.subtract(
                undefined,
                () => this.get(destination),
                () => this.get(source),
            )
        if (operation === 3) {
            const code = () => {
                const target = this.get(source)
                const link = op & 0x80 ? `t=${target};${this.set(LR)}=${this.next | 1};` : `t=${target};`
                return `${link}pc=t&-2;k=${this.cycles + 2};break x;`
            }
            return { cycles: 2, reads: NZCV, writes: 0, code, ends: true }
        }
        const value = () => (operation === 0 ? `${this.get(destination)}+${this.get(source)}|0` : this.get(source))
        if (destination === PC) {
            const code = () => `pc=(${value()})&-2;k=${this.cycles + 2};break x;`
            return { cycles: 2, reads: NZCV, writes: 0, code, ends: true }
        }
        const mask = destination === SP ? "&-4" : ""
        return this.simple(() => {
            const result = value()
            return `${this.set(destination)}=(${result})${mask};`
        })
    }

    private conditional(op: number): Instruction {
        const condition = (op >> 8) & 15
        if (condition === 15) return this.trap(`K.supervisorCall()`)
        if (condition === 14) return this.undefined()
        const target = this.pc + 4 + ((op << 24) >> 23)
        return {
            ...this.simple(() => ""),
            reads: NZCV,
            branch: { condition: conditions[condition]!, target, cycles: 1 },
            code: () => {
                for (const name of conditionFlags[condition >> 1]!) this.flag(name)
                return ""
            },
        }
    }

    private miscellaneous(op: number): Instruction {
        const low = op & 7
        const middle = (op >> 3) & 7
        const from = () => this.get(middle)
        switch ((op >> 8) & 15) {
            case 0: {
                const step = (op & 0x7f) * 4 * (op & 0x80 ? -1 : 1)
                return this.simple(() => `${this.set(SP)}=${this.get(SP)}+${step}|0;`)
            }
            case 2: {
                const value = [
                    () => `${from()}<<16>>16`,
                    () => `${from()}<<24>>24`,
                    () => `${from()}&65535`,
                    () => `${from()}&255`,
                ][(op >> 6) & 3]!
                return this.simple(() => `t=${value()};${this.set(low)}=t;`)
            }
            case 4:
            case 5:
                return this.push(op & 255, (op & 0x100) !== 0)
            case 6:
                if (op === 0xb672) return this.simple(() => "K.PM=true;")
                return op === 0xb662 ? this.trap("K.enableInterrupts()") : this.undefined()
            case 10: {
                const byteOrder: Record<number, () => string> = {
                    0: () => `${from()}<<24|(${from()}&65280)<<8|${from()}>>>8&65280|${from()}>>>24`,
                    1: () => `(${from()}&16711935)<<8|${from()}>>>8&16711935`,
                    3: () => `((${from()}&255)<<8|${from()}>>>8&255)<<16>>16`,
                }
                const value = byteOrder[(op >> 6) & 3]
                return value ? this.simple(() => `t=${value()};${this.set(low)}=t;`) : this.undefined()
            }
            case 12:
            case 13:
                return this.pop(op & 255, (op & 0x100) !== 0)
            case 14:
                return this.trap(`K.breakpoint(${op & 255})`)
            case 15:
                return this.hint(op)
        }
        return this.undefined()
    }

    private hint(op: number): Instruction {
        switch (op & 255) {
            case 0x20:
                return this.trap("K.waitForEvent()", 2)
            case 0x30:
                return this.trap("K.waitForInterrupt()", 2)
            case 0x40:
                return this.simple(() => "K.sendEvent();")
        }
        return this.simple(() => "") // NOP, YIELD, and what is none yet
    }

    private wide(op: number, second: number): Instruction {
        if (op >> 11 === 0b11110 && (second & 0xd000) === 0xd000) return this.call(op, second)
        if ((op & 0xfff0) === 0xf380 && second >> 8 === 0x88) {
            return this.trap(`K.moveToSpecial(${second & 255},u>>>0)`, 3, () => this.get(op & 15))
        }
        if (op === 0xf3ef && second >> 12 === 8)
            return this.trap(`K.moveFromSpecial(${(second >> 8) & 15},${second & 255})`, 3)
        if (op === 0xf3bf && (second & 0xff00) === 0x8f00) return this.simple(() => "K.barrier();", 3) // DSB, DMB, ISB
        return this.undefined()
    }

    private call(op: number, second: number): Instruction {
        const sign = (op >> 10) & 1
        const high = ~((second >> 13) ^ sign) & 1
        const middle = ~((second >> 11) ^ sign) & 1
        const offset =
            (sign ? 0xff000000 : 0) | (high << 23) | (middle << 22) | ((op & 0x3ff) << 12) | ((second & 0x7ff) << 1)
        const target = (this.pc + 4 + offset) | 0
        const code = () => `${this.set(LR)}=${this.next | 1};${this.exit(target, this.cycles + 3)}`
        return { cycles: 3, reads: NZCV, writes: 0, code, ends: true }
    }

    /**
     * What the core does itself, with all registers where they belong; execution goes on where it says.
     * @param operand for the call, as `u`
     */
    private trap(call: string, cycles = 1, operand?: () => string): Instruction {
        const code = () => {
            this.epilogue = call
            const set = operand ? `u=${operand()};` : ""
            return `${set}pc=${this.next};k=${this.cycles + cycles};a=true;break x;`
        }
        return { cycles, reads: NZCV, writes: 0, code, ends: true }
    }

    private undefined(): Instruction {
        const at = this.pc
        return this.trap(`K.undefinedInstruction(${at})`)
    }

    private load(destination: number, address: () => string, size: 1 | 2 | 4, isSigned = false): Instruction {
        const code = () => {
            const value = [`M8[t]`, `M16[t>>>1]`, `M32[t>>>2]`][size >> 1]!
            const sign = isSigned ? (size === 1 ? "<<24>>24" : "<<16>>16") : ""
            const isAligned = size === 1 ? "" : `&&(t&${size - 1})===0`
            const from = address()
            const to = this.set(destination)
            const cycles = this.cycles + 2
            return `t=(${from})-536870912|0;${to}=((t>>>0)<RAM${isAligned}?${value}:ld${size * 8}(t,${cycles}))${sign || "|0"};`
        }
        return this.simple(code, 2)
    }

    private store(source: number, address: () => string, size: 1 | 2 | 4): Instruction {
        const code = () => {
            const target = [`M8[t]`, `M16[t>>>1]`, `M32[t>>>2]`][size >> 1]!
            const isAligned = size === 1 ? "" : `&&(t&${size - 1})===0`
            const cycles = this.cycles + 2
            const value = this.get(source)
            return (
                `t=(${address()})-536870912|0;if((t>>>0)<RAM${isAligned})${target}=${value};` +
                `else if(st${size * 8}(t,${value},${cycles})){${this.exit(this.next, cycles)}}`
            )
        }
        return this.simple(code, 2)
    }

    private push(list: number, withLink: boolean): Instruction {
        const registers = registersOf(list)
        if (withLink) registers.push(LR)
        const count = registers.length
        const code = () => {
            const sp = this.get(SP)
            this.set(SP)
            return `${sp}=${sp}-${4 * count}|0;` + this.storeAll(sp, registers)
        }
        return this.simple(code, 1 + count)
    }

    private pop(list: number, withPc: boolean): Instruction {
        const registers = registersOf(list)
        const count = registers.length
        const size = 4 * (count + (withPc ? 1 : 0))
        const cycles = withPc ? 4 + count : 1 + count
        const code = () => {
            const sp = this.get(SP)
            this.set(SP)
            const loads = this.loadAll(sp, registers, withPc)
            const jump = withPc ? `pc=u&-2;k=${this.cycles + cycles};break x;` : ""
            return `${loads}${sp}=${sp}+${size}|0;${jump}`
        }
        return { ...this.simple(code, cycles), reads: withPc ? NZCV : 0, ends: withPc }
    }

    private storeMultiple(base: number, list: number): Instruction {
        const registers = registersOf(list)
        const code = () => {
            const address = this.get(base)
            this.set(base)
            return `${this.storeAll(address, registers)}${address}=${address}+${4 * registers.length}|0;`
        }
        return this.simple(code, 1 + registers.length)
    }

    private loadMultiple(base: number, list: number): Instruction {
        const registers = registersOf(list)
        const code = () => {
            const address = this.get(base)
            if (list & (1 << base)) return this.loadAll(address, registers, false)
            this.set(base)
            return `${this.loadAll(address, registers, false)}${address}=${address}+${4 * registers.length}|0;`
        }
        return this.simple(code, 1 + registers.length)
    }

    private loadAll(address: string, registers: number[], withPc: boolean): string {
        const targets = registers.map(register => this.set(register))
        if (withPc) targets.push("u")
        const last = 4 * (targets.length - 1)
        const fast = targets.map((to, i) => `${to}=M32[t+${i}];`).join("")
        const slow = targets.map((to, i) => `${to}=ld32(q+${4 * i}|0,${this.cycles});`).join("")
        return `t=${address}-536870912|0;if((t>>>0)<RAM-${last}&&(t&3)===0){t>>>=2;${fast}}` + `else{const q=t;${slow}}`
    }

    private storeAll(address: string, registers: number[]): string {
        const values = registers.map(register => this.get(register))
        const last = 4 * (values.length - 1)
        const fast = values.map((value, i) => `M32[t+${i}]=${value};`).join("")
        const slow = values.map((value, i) => `st32(q+${4 * i}|0,${value},${this.cycles});`).join("")
        return `t=${address}-536870912|0;if((t>>>0)<RAM-${last}&&(t&3)===0){t>>>=2;${fast}}` + `else{const q=t;${slow}}`
    }
}

function registersOf(list: number): number[] {
    return [0, 1, 2, 3, 4, 5, 6, 7].filter(register => list & (1 << register))
}

/** Of `n` and `v` the sign counts, `z` is 0 where the flag is set, `c` is 0 or 1. */
const conditions = [
    "z===0",
    "z!==0",
    "c!==0",
    "c===0",
    "n<0",
    "n>=0",
    "v<0",
    "v>=0",
    "c!==0&&z!==0",
    "c===0||z===0",
    "(n^v)>=0",
    "(n^v)<0",
    "z!==0&&(n^v)>=0",
    "z===0||(n^v)<0",
]

const conditionFlags: ("n" | "z" | "c" | "v")[][] = [
    ["z"],
    ["c"],
    ["n"],
    ["v"],
    ["c", "z"],
    ["n", "v"],
    ["z", "n", "v"],
]

const flagSlots: Record<string, number> = { n: 16, z: 17, c: 18, v: 19 }

function slot(name: string): number {
    return flagSlots[name] ?? Number(name.slice(1))
}
