import { readFileSync } from "node:fs"
import { Command, CommanderError } from "commander"
import { UserError } from "../host/errors.ts"
import { Faults } from "./check/faults.ts"

const { version, description } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string
    description: string
}

/**
 * The commands in the order of the help. Each is loaded only when needed, because loading all takes more than a second.
 */
export const commands: Record<string, () => Promise<Command>> = {
    up: async () => (await import("./commands/up.ts")).upCommand,
    router: async () => (await import("./commands/router.ts")).routerCommand,
    clinic: async () => (await import("./commands/clinic.ts")).clinicCommand,
    mote: async () => (await import("./commands/mote.ts")).moteCommand,
    emulate: async () => (await import("./commands/emulate.ts")).emulateCommand,
    provision: async () => (await import("./commands/provision.ts")).provisionCommand,
    config: async () => (await import("./commands/config.ts")).configCommand,
    alarms: async () => (await import("./commands/alarms.ts")).alarmsCommand,
    backup: async () => (await import("./commands/backup.ts")).backupCommand,
    migrate: async () => (await import("./commands/migrate.ts")).migrateCommand,
    database: async () => (await import("./commands/database.ts")).databaseCommand,
    restore: async () => (await import("./commands/restore.ts")).restoreCommand,
    key: async () => (await import("./commands/key.ts")).keyCommand,
    audit: async () => (await import("./commands/audit.ts")).auditCommand,
    users: async () => (await import("./commands/users.ts")).usersCommand,
    open: async () => (await import("./commands/open.ts")).openCommand,
    hr: async () => (await import("./commands/hr.ts")).hrCommand,
    sim: async () => (await import("./commands/sim.ts")).simCommand,
    bench: async () => (await import("./commands/bench.ts")).benchCommand,
}

/**
 * Runs `vitalmote ARGS…`.
 * @returns exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function execute(args: string[]): Promise<number> {
    try {
        const program = await programFor(args[0] ?? "")
        await program.parseAsync(args, { from: "user" })
        return 0
    } catch (error) {
        // commander has already printed the error or the requested help.
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
        const message = error instanceof Error ? error.message : String(error)
        const lines = error instanceof Faults ? error.faults : [message]
        for (const line of lines) console.error(`vitalmote: ${line.replaceAll("\n", " ")}`)
        return error instanceof UserError ? error.exitCode : 1
    }
}

/** @param name the command to run; all commands are loaded if there is none of that name */
async function programFor(name: string): Promise<Command> {
    const program = new Command("vitalmote").description(description).version(version).helpCommand(true)
    const needed = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands)
    for (const command of await Promise.all(needed.map(load => load()))) program.addCommand(command)
    const withSubcommands = (command: Command): Command[] => [command, ...command.commands.flatMap(withSubcommands)]
    for (const command of withSubcommands(program))
        command.exitOverride().configureOutput({
            outputError: (text, write) => write(text.replace(/^error: /, "vitalmote: ")),
        })
    return program
}
