import type { Chip } from "./chip/chip.ts"

/** Instructions from the sleep to the branch that ends the loop, at most. */
const NEAR = 8
const sleepsOfALoop = 100
const isBranch = (halfword: number) => halfword >> 11 === 0b11100

/**
 * What the program does with its time. A pass is one round of its main loop, from one start to the next without the sleep in
 * between; the loop is found by the instruction that sleeps, as the branch after it leads to the start.
 */
export class Activity {
    /** Asleep, in nanoseconds. */
    idleNanos = 0
    passes = 0
    longestPassNanos = 0
    longestPassAtNanos = 0
    private passStart = 0
    private idleAtStart = 0
    private loopStart: number | undefined
    private chip: Chip | undefined

    /** A chip begins to run. */
    follow(chip: Chip): void {
        this.chip = chip
        this.loopStart = undefined
        const { cpu } = chip
        cpu.onIdle = nanos => (this.idleNanos += nanos)
        // Drivers wait, too, but not for long: the main loop is where it sleeps again and again.
        const sleeps = new Map<number, number>()
        cpu.onWait = address => {
            const count = (sleeps.get(address) ?? 0) + 1
            sleeps.set(address, count)
            if (count < sleepsOfALoop) return
            cpu.onWait = undefined
            this.loopStart = branchAfter(chip, address)
            if (this.loopStart === undefined) return
            this.begin()
            cpu.mark(this.loopStart, () => this.pass())
        }
    }

    private begin(): void {
        this.passStart = this.chip!.time.nanos
        this.idleAtStart = this.idleNanos
    }

    private pass(): void {
        const now = this.chip!.time.nanos
        const duration = now - this.passStart - (this.idleNanos - this.idleAtStart)
        this.passes++
        if (duration > this.longestPassNanos) {
            this.longestPassNanos = duration
            this.longestPassAtNanos = now
        }
        this.begin()
    }
}

function branchAfter(chip: Chip, address: number): number | undefined {
    for (let at = address + 2; at < address + 2 * NEAR; at += 2) {
        const halfword = chip.readUint16(at)
        if (isBranch(halfword)) return at + 4 + (((halfword & 0x7ff) << 21) >> 20)
    }
    return undefined
}
