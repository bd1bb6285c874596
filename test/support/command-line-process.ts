// Runs the commands that its parent sends, as `CommandLine` needs it.
import { execute } from "../../cli/execute.ts"
import type { Finished, Request } from "./command-line.ts"

process.on("message", ({ args, env }: Request) => {
    void run(args, env).then(result => process.send!(result))
})

async function run(args: string[], env: Record<string, string>): Promise<Finished> {
    const before = Object.fromEntries(Object.keys(env).map(name => [name, process.env[name]]))
    const output = { stdout: "", stderr: "" }
    const writes = { stdout: process.stdout.write, stderr: process.stderr.write }
    Object.assign(process.env, env)
    for (const name of ["stdout", "stderr"] as const)
        process[name].write = (text: string | Uint8Array) => {
            output[name] += typeof text === "string" ? text : Buffer.from(text).toString()
            return true
        }
    try {
        return { code: await execute(args), ...output }
    } finally {
        process.stdout.write = writes.stdout
        process.stderr.write = writes.stderr
        for (const [name, value] of Object.entries(before))
            if (value === undefined) delete process.env[name]
            else process.env[name] = value
    }
}
