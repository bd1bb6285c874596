import assert from "node:assert/strict"
import type { ByteStream } from "../../host/stream.ts"
import { pipe } from "../../sim/pipe.ts"
import { VirtualClock } from "../../sim/vm/clock.ts"
import { runProgram } from "../../sim/program.ts"

/** Asks a program in the VM, which answers every write to its socket with one write. */
export interface Channel {
    ask(question: Uint8Array): Promise<Buffer>
    /** What it printed. */
    lines: string[]
}

/** Starts `test/src/….ts`, which connects to us. A question has to fit into one TCP segment of 536 bytes. */
export async function openChannel(entry: string): Promise<Channel> {
    const clock = new VirtualClock()
    let far: ByteStream | undefined
    let answer: Uint8Array | undefined
    const { lines, panics, run } = await runProgram(entry, {
        clock,
        connect: () => {
            const [near, end] = pipe(clock)
            end.listen({ data: bytes => (answer = bytes), closed: () => (far = undefined) })
            far = end
            return Promise.resolve(near)
        },
    })
    await run(5, () => far !== undefined)
    await run(1)
    return {
        lines,
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
