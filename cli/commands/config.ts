import { setTimeout as sleep } from "node:timers/promises"
import { Type } from "@sinclair/typebox"
import { Command, InvalidArgumentError } from "commander"
import { UserError } from "../../host/errors.ts"
import { ConfigError, formatConfigValue, parseConfigValue } from "../../wire/settings.ts"
import {
    configFields,
    defaultConfig,
    routerField,
    type ConfigField,
    type ConfigValues,
} from "../../wire/tables/settings.ts"
import {
    Command as SentCommand,
    Configuration,
    MoteConfiguration,
    type CommandName,
} from "../../clinic/http/schemas/configurations.ts"
import { unitText } from "../../wire/tables/quantities.ts"
import { refusalText } from "../../wire/tables/refusals.ts"
import { clinicOptions, withClinic, type ClinicApi, type ClinicOptions } from "../clinic-api.ts"
import { integer, option } from "../options.ts"

const pollMs = 1000
const defaultTimeoutS = 600

interface Options extends ClinicOptions {
    mote: string
    json: boolean
}

interface SetOptions extends Options {
    wait: boolean
    timeout: number
}

type Settings = Partial<ConfigValues>

export const configCommand = new Command("config")
    .description("read and change a mote's settings over the air")
    .addCommand(
        shared("get", "the settings in force, and a version that waits for the mote").action((options: Options) =>
            withClinic(options, async api => {
                const state = await api.call("GET", path(options), MoteConfiguration)
                if (options.json) console.log(JSON.stringify(state))
                else printState(options.mote, state)
            }),
        ),
    )
    .addCommand(
        shared("set", "change settings; the others stay as they are")
            .argument("<name=value...>", "such as hrHigh=140 report=30")
            .option("--wait", "until the mote has answered", false)
            .addOption(
                option("--timeout <s>", "how long to wait").argParser(integer(1, 86_400)).default(defaultTimeoutS),
            )
            .addHelpText("after", `\n${settingsHelp()}`)
            .action((assignments: string[], options: SetOptions) => {
                const changes = parse(assignments)
                return withClinic(options, api => set(api, changes, options))
            }),
    )
    .addCommand(
        shared("history", "all versions and their outcome").action((options: Options) =>
            withClinic(options, async api => {
                const url = `${path(options)}/history`
                const versions = await api.call("GET", url, Type.Array(Configuration))
                if (options.json) console.log(JSON.stringify(versions))
                else
                    versions.forEach((version, i) =>
                        console.log(line(version, versions[i + 1]?.settings ?? defaultConfig)),
                    )
            }),
        ),
    )
    .addCommand(command("identify", "makes the mote blink"))
    .addCommand(command("clear", "makes the mote discard its unsent readings"))

function shared(name: string, description: string): Command {
    return clinicOptions(new Command(name).description(description))
        .addOption(option("--mote <eui>", "the mote, 16 hex digits").argParser(eui).makeOptionMandatory())
        .option("--json", "one JSON document", false)
}

function command(name: CommandName, description: string): Command {
    return shared(name, description).action((options: Options) =>
        withClinic(options, async api => {
            const url = `/api/motes/${options.mote}/commands`
            const sent = await api.call("POST", url, SentCommand, { command: name })
            if (options.json) console.log(JSON.stringify(sent))
            else console.log(`on its way; expires at ${iso(sent.expiresAt)}`)
        }),
    )
}

/** Changes settings relative to the newest version. The clinic refuses if somebody else has changed them meanwhile. */
async function set(api: ClinicApi, changes: Settings, options: SetOptions): Promise<void> {
    const { settings, newest } = await api.call("GET", path(options), MoteConfiguration)
    const body = { settings: { ...settings, ...changes }, base: newest?.version ?? 0 }
    const made = await api.call("PUT", path(options), Configuration, body)
    const answered = options.wait ? await answer(api, made, options) : made
    if (options.json) console.log(JSON.stringify(answered))
    else console.log(line(answered))
    if (answered.state === "applied" || answered.state === "pending") return
    throw new UserError(`version ${answered.version} is ${stateText(answered)}`)
}

/**
 * Waits for the mote's answer and returns the version with its outcome.
 * @throws UserError if that takes too long
 */
async function answer(api: ClinicApi, made: Configuration, options: SetOptions): Promise<Configuration> {
    const giveUp = performance.now() + options.timeout * 1000
    for (;;) {
        const { newest } = await api.call("GET", path(options), MoteConfiguration)
        if (newest?.version !== made.version)
            throw new UserError(`version ${made.version} is superseded by another one`)
        if (newest.state !== "pending") return newest
        if (performance.now() > giveUp) throw new UserError(`the mote has not answered within ${options.timeout} s`)
        await sleep(pollMs)
    }
}

function path({ mote }: Options): string {
    return `/api/motes/${mote}/config`
}

/**
 * Parses arguments of the form `name=value`, with each name at most once.
 * @throws UserError
 */
function parse(assignments: string[]): Settings {
    const changes: Record<string, number | string> = {}
    for (const assignment of assignments) {
        const [, name, text] = /^(\w{1,16})=(.*)$/s.exec(assignment) ?? []
        if (name === undefined || text === undefined) throw new UserError("NAME=VALUE expected, such as hrHigh=140", 2)
        if (Object.hasOwn(changes, name)) throw new UserError(`${name} is given twice`, 2)
        try {
            changes[name] = parseConfigValue(name, text)
        } catch (error) {
            if (error instanceof ConfigError) throw new UserError(error.message, 2)
            throw error
        }
    }
    return changes
}

function printState(mote: string, { patient, inForce, newest }: MoteConfiguration): void {
    const { version, heardAt } = inForce
    const heard = heardAt === null ? "not reported yet" : `reported ${iso(heardAt)}`
    console.log(`mote ${mote}  patient ${patient}  in force: version ${version}, ${heard}`)
    const settings = inForce.settings
    if (!settings) console.log("that version was made elsewhere: its settings are not known")
    else
        for (const [name, value] of Object.entries(settings))
            console.log(`    ${name.padEnd(9)} ${shownValue(name, value)}`)
    if (newest && newest.version !== version) console.log(line(newest, settings ?? {}))
}

/** Formats a version as a line such as `version 5  pending …`, with the settings that differ from `before`. */
function line(version: Configuration, before?: Record<string, number | string>): string {
    const { answeredAt, author, madeAt } = version
    const since = answeredAt === null ? "" : ` ${iso(answeredAt)}`
    const changes = Object.entries(version.settings)
        .filter(([name, value]) => before && before[name] !== value)
        .map(([name, value]) => `${name}=${shownValue(name, value)}`)
    const made = `made ${iso(madeAt)} by ${clean(author)}`
    return [`version ${version.version}`, stateText(version, since), made, changes.join(" ")]
        .filter(part => part !== "")
        .join("  ")
}

function stateText({ state, reason }: Configuration, since = ""): string {
    const what = `${state === "rolled-back" ? "rolled back" : state}${since}`
    return reason === null ? what : `${what}: ${clean(refusalText(reason))}`
}

function shownValue(name: string, value: number | string): string {
    if (name === routerField.name) return value === "" ? "(as provisioned)" : clean(String(value))
    const field: ConfigField | undefined = configFields.find(field => field.name === name)
    if (!field) return clean(String(value))
    return `${formatConfigValue(field.name as keyof ConfigValues, value)} ${unitText(field.unit)}`.trim()
}

/** Removes control characters, so that text from the clinic cannot control the terminal. */
function clean(text: string): string {
    return text.replace(/\p{Cc}/gu, " ")
}

function settingsHelp(): string {
    const lines = configFields.map((field: ConfigField) => {
        const range = field.choices?.join("|") ?? `${field.min}…${field.max} ${unitText(field.unit)}`.trim()
        const usual = formatConfigValue(field.name as keyof ConfigValues, field.default)
        return [field.name, range, usual, field.description]
    })
    lines.push([routerField.name, "URL", "", routerField.description])
    const width = (i: number) => Math.max(...lines.map(line => line[i]!.length))
    const widths = [0, 1, 2].map(width)
    const rows = lines.map(line =>
        line
            .map((text, i) => text.padEnd(widths[i] ?? 0))
            .join("  ")
            .trimEnd(),
    )
    return ["Settings (range, default):", ...rows.map(row => `  ${row}`)].join("\n")
}

function iso(ms: number): string {
    return new Date(ms).toISOString()
}

function eui(text: string): string {
    if (!/^[0-9a-fA-F]{16}$/.test(text)) throw new InvalidArgumentError("Expected 16 hex digits.")
    return text.toLowerCase()
}
