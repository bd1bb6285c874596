import { readFileSync } from "node:fs"
import { Command, CommanderError } from "commander"
import { UserError } from "../host/errors.ts"
import { benchCommand } from "./commands/bench.ts"
import { clinicCommand } from "./commands/clinic.ts"
import { configCommand } from "./commands/config.ts"
import { hrCommand } from "./commands/hr.ts"
import { moteCommand } from "./commands/mote.ts"
import { openCommand } from "./commands/open.ts"
import { provisionCommand } from "./commands/provision.ts"
import { routerCommand } from "./commands/router.ts"
import { simCommand } from "./commands/sim.ts"
import { upCommand } from "./commands/up.ts"

const { version, description } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string
    description: string
}

const program = new Command("vitalmote").description(description).version(version).helpCommand(true)
for (const command of [
    upCommand,
    routerCommand,
    clinicCommand,
    moteCommand,
    provisionCommand,
    configCommand,
    openCommand,
    hrCommand,
    simCommand,
    benchCommand,
])
    program.addCommand(command)
const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)]
for (const command of withSubcommands(program))
    command.exitOverride().configureOutput({
        outputError: (text, write) => write(text.replace(/^error: /, "vitalmote: ")),
    })

// Whoever reads along has seen enough, as in `vitalmote hr … | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1)
})
process.exitCode = await main()

/** Exit code: 0 done, 1 failed, 2 wrong usage. */
async function main(): Promise<number> {
    try {
        await program.parseAsync()
        return 0
    } catch (error) {
        // commander has said already what is wrong, or printed the help that was asked for.
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
        const line = error instanceof Error ? error.message : String(error)
        console.error(`vitalmote: ${line.replaceAll("\n", " ")}`)
        return error instanceof UserError ? error.exitCode : 1
    }
}
