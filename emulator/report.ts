import { heapOf, type Heap } from "./heap.ts"
import type { Board } from "./board.ts"

/** What a run of an emulated board was like. */
export interface Report {
    emulatedS: number
    /** Of this computer's processor. */
    processorS: number
    /** Of the emulated processor: the share of its time that it did not sleep. */
    cpuShare: number
    passes: number
    longestPassMs: number
    longestPassAtS: number
    i2cShare: number
    i2cTransfers: number
    i2cRefused: number
    heap?: Heap
    pagesProgrammed: number
    sectorsErased: number
    mostErasedSector: number
    resets: number
    /** Why it does not go on. */
    halt?: string
}

/** @param processorMs what the run took */
export function reportOf(board: Board, processorMs: number): Report {
    const { activity, flash, i2c, halt } = board
    const sum = (of: "busyNanos" | "transfers" | "refused") => i2c.reduce((total, bus) => total + bus[of], 0)
    return {
        emulatedS: board.nanos / 1e9,
        processorS: processorMs / 1000,
        cpuShare: 1 - activity.idleNanos / board.nanos,
        passes: activity.passes,
        longestPassMs: activity.longestPassNanos / 1e6,
        longestPassAtS: activity.longestPassAtNanos / 1e9,
        i2cShare: sum("busyNanos") / board.nanos,
        i2cTransfers: sum("transfers"),
        i2cRefused: sum("refused"),
        heap: board.chip && heapOf(board.chip.sram),
        pagesProgrammed: flash.programmed,
        sectorsErased: flash.erased.reduce((total, count) => total + count, 0),
        mostErasedSector: Math.max(...flash.erased),
        resets: board.resets,
        halt: halt && haltText(halt.kind, halt.address),
    }
}

function haltText(kind: string, address: number): string {
    const where = `at 0x${address.toString(16)}`
    switch (kind) {
        case "stopped":
            return `the runtime has stopped ${where}: nothing has woken it for a minute`
        case "lockup":
            return `the processor has locked up ${where}: a fault in the handler of a fault`
    }
    return `breakpoint ${where}: an assertion of the runtime, or a hard fault`
}

export function reportText(report: Report): string {
    const { heap } = report
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    const lines = [
        `emulated ${report.emulatedS.toFixed(1)} s in ${report.processorS.toFixed(1)} s of this processor`,
        `processor ${percent(report.cpuShare)}; longest of ${report.passes} passes ${report.longestPassMs.toFixed(1)} ms, ` +
            `at ${report.longestPassAtS.toFixed(1)} s`,
        `I2C ${percent(report.i2cShare)}: ${report.i2cTransfers} transfers, ${report.i2cRefused} refused`,
        heap &&
            `heap: ${heap.usedBytes} of ${heap.totalBytes} bytes in use, largest free piece ${heap.largestFreeBytes}`,
        `flash: ${report.pagesProgrammed} pages programmed, ${report.sectorsErased} sectors erased, ` +
            `one of them ${report.mostErasedSector} times`,
        `resets: ${report.resets}`,
        report.halt,
    ]
    return lines.filter(line => line).join("\n")
}
