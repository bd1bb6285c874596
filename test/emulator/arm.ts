import { Board, type BoardOptions } from "../../emulator/board.ts"
import { FlashMemory } from "../../emulator/flash.ts"

/**
 * What every program starts with, in the place of a flash's second stage:
 *
 *     ldr r0, =0x10000100; ldr r1, =0xe000ed08; str r0, [r1]; ldmia r0!, {r1, r2}; msr msp, r1; bx r2
 */
const secondStage = "03480449086006c881f30888104700000001001008ed00e0"
const vectorsAt = 0x100
const programAt = 0x200
const stackTop = 0x20040000
export const ramAt = 0x20000000

export interface Program {
    /** Thumb instructions, from 0x10000200 on. */
    code: string
    /** Handlers by their number of an exception, as offsets into the program. */
    handlers?: Record<number, number>
    /** What is in RAM from 0x20000000 on. */
    ram?: number[]
}

/** A flash with a program in it, as a UF2 file would make it. */
export function flashWith({ code, handlers = {} }: Program): FlashMemory {
    const contents = new Uint8Array(0x20000).fill(0xff)
    const view = new DataView(contents.buffer)
    contents.set(Buffer.from(secondStage, "hex"))
    view.setUint32(vectorsAt, stackTop, true)
    const entry = (offset: number) => 0x10000000 + programAt + offset + 1
    view.setUint32(vectorsAt + 4, entry(0), true)
    for (const [exception, offset] of Object.entries(handlers))
        view.setUint32(vectorsAt + 4 * Number(exception), entry(offset), true)
    contents.set(Buffer.from(code, "hex"), programAt)
    return new FlashMemory({ contents })
}

/** A board that runs a program until its breakpoint, or as long as said. */
export function runProgram(program: Program, options: Partial<BoardOptions> = {}, ms = 1000): Board {
    const board = new Board({ flash: flashWith(program), ...options })
    board.powerUp()
    for (const [i, word] of (program.ram ?? []).entries()) board.chip!.writeUint32(ramAt + 4 * i, word >>> 0)
    board.run(ms * 1e6)
    return board
}

export function word(board: Board, index: number): number {
    return board.chip!.readUint32(ramAt + 4 * index)
}
