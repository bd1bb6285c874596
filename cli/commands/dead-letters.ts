import { join } from "node:path"
import { Command } from "commander"
import { UserError } from "../../host/errors.ts"
import { writeDurably } from "../../host/files.ts"
import { SqliteStore, type DeadLetter, type RouterStore } from "../../router/index.ts"
import { eui } from "../../wire/keys.ts"
import { integer, option } from "../options.ts"

/** The number of rows read at a time. */
const pageRows = 256
const ownerOnly = 0o600

export const deadLettersCommand = new Command("dead-letters")
    .description("manage envelopes that the clinic refused; the router must be stopped")
    .addCommand(
        command("list", "list them, one line each, the oldest first")
            .option("--json", "one JSON document per line", false)
            .action((options: { json: boolean }, command: Command) =>
                withStore(command, store => {
                    for (const letter of letters(store)) console.log(options.json ? json(letter) : line(letter))
                }),
            ),
    )
    .addCommand(
        command("export", "export them with the sealed envelopes, one JSON document per line")
            .argument("<file>", "the file to write")
            .action((file: string, _options: object, command: Command) =>
                withStore(command, store => {
                    const lines = [...letters(store)].map(letter => `${json(letter, true)}\n`)
                    writeDurably(file, lines.join(""), ownerOnly)
                    console.log(`${lines.length} exported to ${file}`)
                }),
            ),
    )
    .addCommand(
        command("drop", "delete them for good, the oldest first")
            .addOption(option("--count <n>", "how many").argParser(integer(1, Number.MAX_SAFE_INTEGER)))
            .option("--all", "all of them", false)
            .action((options: { count?: number; all: boolean }, command: Command) => {
                if ((options.count === undefined) !== options.all)
                    throw new UserError("either --count or --all is needed", 2)
                withStore(command, store => {
                    const dropped = store.dropDeadLetters(options.count ?? store.refusedLength)
                    console.log(`${dropped} dropped, ${store.refusedLength} left`)
                })
            }),
    )

function command(name: string, description: string): Command {
    return new Command(name)
        .description(description)
        .addOption(option("--data <dir>", "data folder of the router").default(".vitalmote"))
}

function withStore(command: Command, use: (store: RouterStore) => void): void {
    const store = SqliteStore.openExisting(join(dataOf(command), "router"))
    try {
        use(store)
    } finally {
        store.close()
    }
}

/** Returns `--data`, which may follow any word of the command. */
export function dataOf(command: Command): string {
    for (let given: Command | null = command; given; given = given.parent) {
        const source = given.getOptionValueSource("data")
        if (source !== undefined && source !== "default") return given.getOptionValue("data") as string
    }
    return command.getOptionValue("data") as string
}

function* letters(store: RouterStore): Generator<DeadLetter> {
    for (let after = 0; ;) {
        const page = store.deadLetters(after, pageRows)
        yield* page
        const last = page.at(-1)
        if (!last) return
        after = last.id
    }
}

function line({ id, kid, purpose, receivedAt, envelope, reason }: DeadLetter): string {
    const time = new Date(receivedAt).toISOString()
    return `${id}  ${time}  mote ${eui(kid)}  ${purpose}  ${envelope.length} bytes  ${clean(reason)}`
}

function json({ id, kid, purpose, receivedAt, envelope, reason }: DeadLetter, isWhole = false): string {
    const hex = Buffer.from(envelope).toString("hex")
    const letter = { id, mote: eui(kid), purpose, receivedAt, bytes: envelope.length, reason }
    return JSON.stringify(isWhole ? { ...letter, envelope: hex } : letter)
}

/** Removes control characters, so that text from the clinic cannot control the terminal. */
function clean(text: string): string {
    return text.replace(/\p{Cc}/gu, " ")
}
