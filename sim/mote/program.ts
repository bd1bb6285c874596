import { randomBytes } from "node:crypto"
import { buildFirmware } from "../../devicescript/build.ts"
import { Mote, type MoteOptions } from "./mote.ts"
import { VirtualClock } from "../time/clock.ts"
import type { Flash } from "../vm/machine.ts"

/** Flash in memory, for a mote that a test power-cycles. */
export function memoryFlash(): Flash & { contents: Uint8Array } {
    return {
        contents: new Uint8Array(0),
        load() {
            return this.contents
        },
        save(contents) {
            this.contents = contents
        },
    }
}

export interface ProgramRun {
    clock: VirtualClock
    mote: Mote
    /** Lines that the program has printed. */
    lines: string[]
    /** Panic codes so far; 0 is a restart that the program requested. */
    panics: number[]
    /** Advances virtual time by `seconds`, or until `until` returns true. */
    run(seconds: number, until?: () => boolean): Promise<void>
}

/** Runs a DeviceScript program (`test/src/NAME.ts`, `src/main.ts`) as bytecode in the VM, in virtual time. */
export async function runProgram(entry: string, options: Partial<MoteOptions> = {}): Promise<ProgramRun> {
    const clock = (options.clock as VirtualClock | undefined) ?? new VirtualClock()
    const lines: string[] = []
    const panics: number[] = []
    const mote = await Mote.start({
        clock,
        random: randomBytes,
        image: await buildFirmware(entry),
        flash: memoryFlash(),
        connect: () => Promise.reject(new Error("no network in this test")),
        log: line => lines.push(line),
        panic: code => panics.push(code),
        ...options,
    })
    return {
        clock,
        mote,
        lines,
        panics,
        run: (seconds, until) => clock.run(seconds * 1000, until),
    }
}
