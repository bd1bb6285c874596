import assert from "node:assert/strict"
import type { ByteStream } from "../../host/stream.ts"
import { pipe } from "../../sim/time/pipe.ts"
import type { MoteOptions } from "../../sim/mote/mote.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { runProgram, type ProgramRun } from "../../sim/mote/program.ts"

/** Sends requests to a program in the VM, which answers each write to its socket with one write. */
export interface Channel extends ProgramRun {
    ask(question: Uint8Array): Promise<Buffer>
    /** After a power cut: waits until the program answers again. */
    powerUp(): Promise<void>
}

/** Starts `test/src/….ts`, which connects to us. A request must fit into one TCP segment of 536 bytes. */
export async function openChannel(entry: string, options: Partial<MoteOptions> = {}): Promise<Channel> {
    const clock = new VirtualClock()
    let far: ByteStream | undefined
    let answer: Uint8Array | undefined
    const program = await runProgram(entry, {
        ...options,
        clock,
        connect: () => {
            const [near, end] = pipe(clock)
            end.listen({ data: bytes => (answer = bytes), closed: () => (far = undefined) })
            far = end
            return Promise.resolve(near)
        },
    })
    const { lines, mote, panics, run } = program
    const connected = async () => {
        await run(5, () => far !== undefined)
        await run(1)
    }
    await connected()
    return {
        ...program,
        powerUp: async () => {
            far = undefined
            await mote.powerUp()
            await connected()
        },
        ask: async question => {
            answer = undefined
            far?.write(question)
            await run(1, () => answer !== undefined)
            assert.deepEqual(panics, [])
            assert.ok(answer, `${entry} does not answer: ${lines.at(-1)}`)
            return Buffer.from(answer)
        },
    }
}
