import { Type, type Static } from "@sinclair/typebox"
import { Command, InvalidArgumentError } from "commander"
import type { ProblemCode } from "../../wire/tables/problems.ts"
import { UserError } from "../../host/errors.ts"
import { writeDurably } from "../../host/files.ts"
import { boardOptions, flashCommands, readEnv, boardSettings, writeEnv, type BoardOptions } from "../board-options.ts"
import { checkRouter, isOwnMachine } from "../router-address.ts"
import { boards } from "../../devicescript/boards.ts"
import { Mote, MoteWithSecret } from "../../clinic/http/schemas/motes.ts"
import { Patient } from "../../clinic/http/schemas/patients.ts"
import { clinicOptions, withClinic, type ClinicApi, type ClinicOptions } from "../clinic-api.ts"
import { readSettings } from "../../devicescript/env-local.ts"
import { htmlLabel, svgLabel } from "../label.ts"
import { httpsUrl, integer, mandatory, option, withConfigFile } from "../options.ts"
import { table } from "../table.ts"

const maxBedChars = 20
/** A label may have a patient's name, so only the owner may read the file. */
const ownerOnly = 0o600

const Wearer = Type.Pick(Patient, ["id", "given", "family", "bed"])
const RegisteredMote = Type.Pick(Mote, ["kid", "patient", "registeredAt", "revokedAt", "newestAt"])

type Wearer = Static<typeof Wearer>
type RegisteredMote = Static<typeof RegisteredMote>

interface NewOptions extends BoardOptions, ClinicOptions {
    board: string
    router: string
    patient?: number
    nobody: boolean
    confirm: boolean
    newPatient?: Pick<Wearer, "given" | "family">
    bed?: string
    label?: string
    labelUrl?: string
    labelName: boolean
}

export const provisionCommand = new Command("provision")
    .description("give a board its identity: registered with the clinic, written for the board")
    .addHelpText("after", "\nWithout a command: new. Its options: vitalmote provision new --help")
    .addCommand(newCommand(), { isDefault: true })
    .addCommand(listCommand())
    .addCommand(pairCommand())
    .addCommand(takeOffCommand())
    .addCommand(rotateCommand())
    .addCommand(revokeCommand())

function newCommand(): Command {
    const command = new Command("new").description(
        "register a mote: its identity, .env.local for the board, the next steps, a label",
    )
    return withConfigFile(boardOptions(clinicOptions(command), mandatory))
        .addOption(option("--patient <id>", "who will wear it").argParser(integer(1, Number.MAX_SAFE_INTEGER)))
        .addOption(option("--new-patient <name>", 'who is admitted with it, as "Family, Given"').argParser(personName))
        .option("--nobody", "nobody wears it yet", false)
        .addOption(option("--bed <bed>", "bed of the new patient").argParser(bed))
        .option(
            "--confirm",
            "admit the new patient even if somebody seems to be the same person or in the same bed",
            false,
        )
        .addOption(option("--label <file>", "a label to print, .svg or .html").argParser(labelFile))
        .addOption(
            option(
                "--label-url <url>",
                "the clinic's address for people who scan the label, if it differs from --clinic",
            ).argParser(httpsUrl),
        )
        .option("--label-name", "also print name and bed on the label", false)
        .action((options: NewOptions) => withClinic(options, api => provision(api, options)))
}

function rotateCommand(): Command {
    const command = new Command("rotate")
        .description("give a mote a new secret; the old one ends when the board first uses the new one")
        .argument("<eui>", "the mote, 16 hex digits", eui)
    return withConfigFile(boardOptions(clinicOptions(command))).action(
        (kid: string, options: BoardOptions & ClinicOptions) => withClinic(options, api => rotate(api, kid, options)),
    )
}

function listCommand(): Command {
    return clinicOptions(
        new Command("list").description("all motes of the clinic: who wears each, and when it was heard"),
    )
        .option("--json", "one JSON document", false)
        .action((options: ClinicOptions & { json: boolean }) =>
            withClinic(options, async api => {
                const motes = await api.call("GET", "/api/motes", Type.Array(RegisteredMote))
                const patients = await api.call("GET", "/api/patients", Type.Array(Wearer))
                const wearers = new Map(patients.map(patient => [patient.id, patient]))
                const found = motes.map(mote =>
                    listed(mote, mote.patient === null ? undefined : wearers.get(mote.patient)),
                )
                if (options.json) console.log(JSON.stringify(found))
                else for (const row of table(columns, found.map(cells))) console.log(row)
            }),
        )
}

function pairCommand(): Command {
    const command = new Command("pair")
        .description("put a mote on a patient, over the air")
        .argument("<eui>", "the mote, 16 hex digits", eui)
        .addOption(
            option("--patient <id>", "who wears it from now on")
                .argParser(integer(1, Number.MAX_SAFE_INTEGER))
                .makeOptionMandatory(),
        )
        .option("--confirm", "take it off somebody else first", false)
    return clinicOptions(command).action(
        (kid: string, { patient, confirm, ...options }: ClinicOptions & { patient: number; confirm: boolean }) =>
            withClinic(options, async api => {
                const body = { patient, ...(confirm && { confirmed: ["mote-in-use"] }) }
                await api.call("PUT", `/api/motes/${kid}/association`, Type.Unknown(), body)
                console.log(`patient ${patient} wears mote ${kid} from now on`)
            }),
    )
}

function takeOffCommand(): Command {
    const command = new Command("take-off")
        .description("take a mote off its patient; it may have the next one")
        .argument("<eui>", "the mote, 16 hex digits", eui)
    return clinicOptions(command).action((kid: string, options: ClinicOptions) =>
        withClinic(options, async api => {
            await api.call("DELETE", `/api/motes/${kid}/association`, Type.Unknown())
            console.log(`nobody wears mote ${kid} from now on`)
        }),
    )
}

function revokeCommand(): Command {
    const command = new Command("revoke")
        .description("revoke a mote: the clinic accepts nothing more from it")
        .argument("<eui>", "the mote, 16 hex digits", eui)
    return clinicOptions(command).action((kid: string, options: ClinicOptions) =>
        withClinic(options, async api => {
            await revoke(api, kid)
            console.log(`mote ${kid} is revoked`)
        }),
    )
}

async function provision(api: ClinicApi, options: NewOptions): Promise<void> {
    const { router, newPatient, label, labelUrl = api.url, env } = options
    const wearers = [options.patient !== undefined, newPatient !== undefined, options.nobody]
    if (wearers.filter(Boolean).length !== 1)
        throw new UserError("one of --patient, --new-patient and --nobody is needed", 2)
    if (options.bed !== undefined && !newPatient) throw new UserError("--bed goes with --new-patient", 2)
    if (options.confirm && !newPatient) throw new UserError("--confirm goes with --new-patient", 2)
    await checkRouter(options)
    const settings = boardSettings(options)
    const old = readEnv(options)

    const patient = await wearerOf(api, options)
    const { kid, secret } = await api.call("POST", "/api/motes", MoteWithSecret, { patient: patient?.id ?? null })
    const url = `${labelUrl.replace(/\/+$/, "")}/#/motes/${kid}`
    try {
        if (label !== undefined) writeLabel(label, url, kid, options.labelName ? patient : undefined)
        writeEnv(env, old, { ...settings, kid, secret, router })
    } catch (error) {
        // The secret is lost, so the mote is useless.
        await revoke(api, kid)
        throw error
    }
    if (label !== undefined && isOwnMachine(new URL(url).hostname))
        console.error(`${label} says ${new URL(url).host}, where only this machine finds the clinic`)
    printResult(options, { kid, patient: patient?.id ?? null, ...(label !== undefined && { label, url }) }, [
        `mote ${kid} is registered for ${patient ? `patient ${patient.id}` : "nobody yet"}`,
        ...(label === undefined ? [] : [`${label} is its label: ${url}`]),
    ])
}

async function wearerOf(api: ClinicApi, options: NewOptions): Promise<Wearer | undefined> {
    const { newPatient, bed = null, confirm, patient } = options
    if (newPatient)
        return await api.call("POST", "/api/patients", Wearer, {
            ...{ ...newPatient, bed },
            ...(confirm && { confirmed: ["patient-known", "bed-taken"] satisfies ProblemCode[] }),
        })
    return patient === undefined ? undefined : await api.call("GET", `/api/patients/${patient}`, Wearer)
}

async function rotate(api: ClinicApi, kid: string, options: BoardOptions): Promise<void> {
    const settings = boardSettings(options)
    const old = readEnv(options, kid)
    const router = options.router ?? readSettings(old).router
    if (typeof router !== "string") throw new UserError(`--router is needed: ${options.env} has none`, 2)
    await checkRouter({ ...options, router })
    const { secret } = await api.call("POST", `/api/motes/${kid}/rotate`, MoteWithSecret)
    writeEnv(options.env, old, { ...settings, kid, secret, router })
    printResult(options, { kid }, [`mote ${kid} has a new secret, which the clinic takes from now on`])
}

async function revoke(api: ClinicApi, kid: string): Promise<void> {
    await api.call("DELETE", `/api/motes/${kid}`, Type.Unknown())
}

/** Prints the result and the next commands, but never the secret. */
function printResult({ json, board, env }: BoardOptions, result: object, lines: string[]): void {
    const { runtime, settings, program } = board === undefined ? {} : flashCommands(board, env)
    const commands = [runtime, settings, program].filter(command => command !== undefined)
    if (json) return console.log(JSON.stringify({ ...result, env, commands }))
    for (const line of lines) console.log(line)
    console.log(`${env} has its settings, the secret too; only you can read it`)
    if (board === undefined) return
    console.log(`the runtime, once for a board, plugged in with ${boards[board]!.button} held:`)
    console.log(`    ${runtime}`)
    console.log("program and settings, over USB, on the page http://localhost:8081:")
    if (settings !== undefined) console.log(`    ${settings}`)
    console.log(`    ${program}`)
}

function writeLabel(file: string, url: string, kid: string, patient: Wearer | undefined): void {
    const lines = patient ? [`${patient.family}, ${patient.given}`] : []
    if (patient?.bed) lines.push(`Bed ${patient.bed}`)
    const label = { eui: kid, url, lines }
    writeDurably(file, /\.svg$/i.test(file) ? svgLabel(label) : htmlLabel(label), ownerOnly)
}

const columns = ["mote", "bed", "patient", "last heard", "registered", "state"]

function listed({ kid, patient, registeredAt, revokedAt, newestAt }: RegisteredMote, wearer: Wearer | undefined) {
    return {
        ...{ kid, patient, bed: wearer?.bed ?? null, name: wearer ? `${wearer.family}, ${wearer.given}` : null },
        ...{
            heard: newestAt === null ? null : iso(newestAt),
            registered: iso(registeredAt),
            revoked: revokedAt && iso(revokedAt),
        },
    }
}

function cells({ kid, patient, bed, name, heard, registered, revoked }: ReturnType<typeof listed>): string[] {
    const who = patient === null ? "nobody" : `${patient} ${printable(name ?? "")}`.trimEnd()
    const state = revoked === null ? "valid" : `revoked ${revoked}`
    return [kid, printable(bed ?? "-"), who, heard ?? "never", registered, state]
}

/** A terminal obeys some characters. */
function printable(text: string): string {
    return text.replace(/\p{Cc}/gu, " ")
}

function iso(ms: number): string {
    const date = new Date(ms)
    return Number.isNaN(date.getTime()) ? "?" : date.toISOString()
}

function eui(text: string): string {
    if (!/^[0-9a-fA-F]{16}$/.test(text)) throw new InvalidArgumentError("Expected 16 hex digits.")
    return text.toLowerCase()
}

function personName(text: string): Pick<Wearer, "given" | "family"> {
    const names = text.split(",").map(name => name.trim())
    const [family, given] = names
    if (names.length !== 2 || !family || !given || text.length > 200 || /\p{Cc}/u.test(text))
        throw new InvalidArgumentError('Expected "Family, Given".')
    return { given, family }
}

function bed(text: string): string {
    if (text.length === 0 || text.length > maxBedChars || /\p{Cc}/u.test(text))
        throw new InvalidArgumentError(`Expected 1 to ${maxBedChars} characters.`)
    return text
}

function labelFile(text: string): string {
    if (!/\.(svg|html)$/i.test(text)) throw new InvalidArgumentError("Expected FILE.svg or FILE.html.")
    return text
}
