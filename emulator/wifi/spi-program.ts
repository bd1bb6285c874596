import { RPPIO, type RP2040, type StateMachine } from "rp2040js"

/** A slave that hears whole words: what the master clocks out, most significant bit first, and back. */
export interface SpiSlave {
    write(word: number): void
    read(): number
}

/**
 * The SDK's program for the WiFi chip's bus: bits out, then a turn of the line and bits in, two instructions a bit. Side-set pins and
 * jump targets are where the SDK puts them, so opcodes count without both.
 *
 *     lp: out pins, 1; jmp x-- lp;  set pindirs, 0; nop;  lp2: in pins, 1; jmp y-- lp2
 */
const program = [0x6001, 0x0040, 0xe080, 0xa042, 0x4001, 0x0080]
const opcodeMasks = [0xefff, 0xefe0, 0xefff, 0xefff, 0xefff, 0xefe0]
const lastOut = 1
const instructionsPerBit = 2
const bitsPerWord = 32
const FDEBUG_TXSTALL = 1 << 24
/** So many instructions of other programs run between two looks at the rest of the chip. */
const batch = 32

/** Methods of rp2040js' that tell DMA how full a queue is. */
interface Requests {
    updateDMATx(): void
    updateDMARx(): void
}

/**
 * A PIO block that keeps to the chip's clock, and to its divider. The program of the WiFi's bus is run a word at a time, any other
 * instruction by instruction.
 */
export class PioBlock extends RPPIO {
    private readonly slave: SpiSlave | undefined
    private readonly alarm: { schedule(nanos: number): void; cancel(): void }
    private inBits = 0
    private outBits = 0

    /** @param slave what is at the end of the WiFi's bus */
    constructor(chip: RP2040, index: number, firstIrq: number, slave?: SpiSlave) {
        super(chip, `PIO${index}`, firstIrq, index)
        this.slave = slave
        this.alarm = chip.clock.createAlarm(() => this.goOn())
    }

    override run(): void {
        const machine = this.spiMachine()
        if (machine) {
            const isOutOnly = machine.wrapTop === machine.wrapBottom + lastOut
            this.outBits = machine.x + 1
            this.inBits = isOutOnly ? 0 : machine.y + 1
        }
        this.goOn()
    }

    override writeUint32(offset: number, value: number): void {
        super.writeUint32(offset, value)
        if (this.stopped) this.alarm.cancel()
    }

    private goOn(): void {
        if (this.stopped) return
        const machine = this.spiMachine()
        if (machine) return this.word(machine)
        const running = this.machines.filter(({ enabled }) => enabled)
        for (let i = 0; i < batch && !this.stopped; i++) {
            for (const each of running) each.step()
            this.checkChangedPins()
        }
        const divider = Math.min(...running.map(({ clockDivInt }) => clockDivInt || 65536))
        this.alarm.schedule((batch * divider * 1e9) / this.rp2040.clkSys)
    }

    private word(machine: StateMachine): void {
        const requests = machine as unknown as Requests
        if (this.outBits > 0) {
            if (machine.txFIFO.empty) return this.after(machine, 1)
            const word = machine.txFIFO.pull()
            requests.updateDMATx()
            this.slave!.write(word)
            this.outBits -= bitsPerWord
            return this.after(machine, bitsPerWord)
        }
        if (this.inBits > 0) {
            if (machine.rxFIFO.full) return this.after(machine, 1)
            machine.rxFIFO.push(this.slave!.read() >>> 0)
            requests.updateDMARx()
            this.checkInterrupts()
            this.inBits -= bitsPerWord
            return this.after(machine, bitsPerWord)
        }
        // All is through: the program waits for the next word to send.
        const stall = FDEBUG_TXSTALL << machine.index
        this.txStall |= stall
        this.fdebug |= stall
    }

    private after(machine: StateMachine, bits: number): void {
        const divider = machine.clockDivInt + machine.clockDivFrac / 256 || 65536
        this.alarm.schedule((bits * instructionsPerBit * divider * 1e9) / this.rp2040.clkSys)
    }

    /** The state machine that runs the program of the WiFi's bus, and is the only one that runs. */
    private spiMachine(): StateMachine | undefined {
        const running = this.machines.filter(({ enabled }) => enabled)
        const [machine] = running
        if (!this.slave || !machine || running.length > 1) return undefined
        const isProgram = program.every((opcode, i) => {
            const loaded = this.instructions[(machine.wrapBottom + i) & 31]!
            return (loaded & opcodeMasks[i]!) === (opcode & opcodeMasks[i]!)
        })
        return isProgram ? machine : undefined
    }
}
