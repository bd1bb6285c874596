import { readFileSync } from "node:fs"
import { isIPv6 } from "node:net"
import { join } from "node:path"
import { renderUnicodeCompact } from "uqr"
import { Command } from "commander"
import { UserError } from "../../host/errors.ts"
import { httpsClinic, lanAddresses, startRouter, type RunningRouter } from "../../router/index.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { type Mote, startLiveMote } from "../../sim/index.ts"
import { eui } from "../../wire/keys.ts"
import { writeCredentials, type Credentials } from "../credentials.ts"
import { accelerationUnitOption, integer, logLevelOption, option, port, withConfigFile } from "../options.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { clientAccess, printClientHints, withClientOptions, type ClientOptions } from "../clients.ts"
import { runUntilStopped, stderrLog } from "../service.ts"
import { firstVisibleReading } from "../wait.ts"
import {
    conditionHelp,
    conditionsOption,
    madeUpWearer,
    recordedWearer,
    recordingOption,
    type ConditionOption,
    type RecordedWearer,
} from "../wearer.ts"
import { openClinic, type OpenClinic } from "./clinic.ts"

interface Options extends RecordedWearer, ClientOptions, KeyFlags {
    wearer?: ConditionOption[]
    motes: number
    data: string
    database?: string
    host: string
    httpsPort: number
    coapPort: number
    mqttPort: number
    transport: "coap" | "mqtt"
    logLevel: string
}

/** The time limit for the first reading. A heart rate needs 8 s of signal; a busy machine takes several times that. */
const firstReadingMs = 120_000
const host = "localhost"

export const upCommand = withConfigFile(
    withClientOptions(new Command("up"))
        .description("clinic, router and a small simulated ward in one go")
        .addOption(option("--motes <n>", "simulated motes").argParser(integer(1, 100)).default(3))
        .addOption(
            option(
                "--wearer <name[@time]>",
                "condition of the wearer of mote 1 (repeat the option for mote 2 and so on), and how long its course takes:  " +
                    conditionHelp,
            )
                .argParser(conditionsOption)
                .conflicts("ppg"),
        )
        .addOption(
            option(
                "--ppg <file[@hz]>",
                "replay a recording (CSV, one column) as the optical signal of mote 1",
            ).argParser(recordingOption),
        )
        .addOption(
            option("--acc <file[@hz]>", "acceleration recorded with --ppg (three columns)").argParser(recordingOption),
        )
        .addOption(accelerationUnitOption())
        .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
        .addOption(databaseOption())
        .addOption(
            option(
                "--host <name>",
                "where the clinic's page can be opened: 0.0.0.0 for every device on the network, such as a phone",
            ).default("localhost"),
        )
        .addOption(option("--https-port <port>", "the clinic's HTTPS port").argParser(port).default(8443))
        .addOption(option("--coap-port <port>", "the router's CoAP port").argParser(port).default(5683))
        .addOption(option("--mqtt-port <port>", "the router's MQTT port").argParser(port).default(1883))
        .addOption(
            option("--transport <name>", "how the motes reach the router").choices(["coap", "mqtt"]).default("coap"),
        )
        .addOption(logLevelOption("warn")),
).action(async (options: Options, command: Command) => {
    refuseSeenPassword(command, options.database)
    const startedAt = new Date()
    const wearer = recordedWearer(options)
    if ((options.wearer?.length ?? 0) > options.motes) throw new UserError("--wearer: more of them than motes", 2)
    const master = await givenMasterKey(options)
    const log = stderrLog(options.logLevel)
    const say = (line: string) => console.error(line)
    const open: { close(): Promise<void> }[] = []
    const close = async () => {
        for (const part of open.reverse()) await part.close()
    }
    try {
        say("building the firmware …")
        const image = await buildFirmware()
        say("starting the clinic …")
        const clinic = await openClinic(options.data, { ...options, master }, log)
        open.push(clinic)
        const credentials = await furnishWard(clinic, options.motes)
        say("starting the router …")
        const router = await openRouter(credentials, options, command, log)
        open.push(router)
        const coap = `coap+tcp://${host}:${router.coapPort}`
        const mqtt = `mqtt://${host}:${router.mqttPort}`
        const address = options.transport === "mqtt" ? mqtt : coap
        say(`starting ${options.motes} motes, waiting for their first readings …`)
        const motes = credentials.motes.slice(0, options.motes)
        for (const [i, mote] of motes.entries()) {
            const body = (i === 0 && wearer) || madeUpWearer(mote.kid, options.wearer?.[i])
            const data = join(options.data, "motes")
            const started = await startLiveMote({
                ...{ image, body, data, router: address, kid: mote.kid, secret: mote.secret },
                log: line => log.debug({ mote: mote.kid, line }, "mote log"),
                failed: error => log.error({ mote: mote.kid, reason: error.message }, "mote stopped"),
                panic: code => code && log.error({ mote: mote.kid, code }, "mote panicked"),
            })
            open.push(asPart(started))
        }
        await firstVisibleReading(credentials, startedAt, firstReadingMs)
        say(`log in as ${credentials.doctor.user}; the password is in ${clinic.credentialsFile}`)
        printClientHints(router, host, options)
        if (options.host !== "localhost") sayWhere(options.host, clinic, say)
        await runUntilStopped(close, `ready ${clinic.url} ${coap} ${mqtt}`)
    } catch (error) {
        await close()
        throw error
    }
})
for (const each of keyOptions()) upCommand.addOption(each)

/** Where another device opens the page: its address, as a code for a camera, too. */
function sayWhere(host: string, clinic: OpenClinic, say: (line: string) => void): void {
    const { port } = new URL(clinic.url)
    const names = host === "0.0.0.0" || host === "::" ? lanAddresses() : [host]
    const urls = names.map(name => `https://${isIPv6(name) ? `[${name}]` : name}:${port}/`)
    if (urls.length === 0) return say("this machine has no address on a network: no other device can open the page")
    say(`on other devices: ${urls.join(" ")}`)
    say(`they warn of the certificate, unless they know its authority: ${clinic.caFile}`)
    say(renderUnicodeCompact(urls[0]!))
}

function asPart(mote: Mote) {
    return { close: async () => mote.stop() }
}

function openRouter(
    credentials: Credentials,
    options: Options,
    command: Command,
    log: ReturnType<typeof stderrLog>,
): Promise<RunningRouter> {
    return startRouter({
        data: join(options.data, "router"),
        host,
        coapPort: options.coapPort,
        ...clientAccess(options, command),
        mqttPort: options.mqttPort,
        clinic: httpsClinic({
            url: credentials.clinic,
            ca: readFileSync(credentials.ca, "utf8"),
            token: credentials.router.token,
        }),
        log,
    })
}

const wardPatients = [
    ["Ada", "Winter"],
    ["Bruno", "Falk"],
    ["Carla", "Imhof"],
    ["Dinesh", "Rao"],
    ["Elif", "Aydin"],
    ["Frances", "Cole"],
]

/** Adds patients and motes until there are enough of both. Those of an earlier start are kept. */
async function furnishWard(clinic: OpenClinic, motes: number): Promise<Credentials> {
    const { credentials, credentialsFile } = clinic
    if (!credentials) throw new UserError(`${credentialsFile} is missing: restore it, or use another --data folder`)
    // After a power cut the credentials may have a mote that the clinic does not have.
    const known = await Promise.all(
        credentials.motes.map(({ kid }) => clinic.clinic.motes.get(Buffer.from(kid, "hex"))),
    )
    credentials.motes = credentials.motes.filter((_, n) => known[n])
    for (let n = credentials.motes.length; n < motes; n++) {
        const [given, family] = wardPatients[n % wardPatients.length]!
        const patient = {
            given: given!,
            family: n < wardPatients.length ? family! : `${family} ${n + 1}`,
            bed: String(n + 1),
        }
        await clinic.clinic.admit(patient, async (mote, secret) => {
            credentials.motes.push({
                kid: eui(mote.kid),
                secret: Buffer.from(secret).toString("hex"),
                patient: String(mote.patient),
            })
            writeCredentials(credentialsFile, credentials)
        })
    }
    return credentials
}
