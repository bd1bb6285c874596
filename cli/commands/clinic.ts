import { statSync } from "node:fs"
import { join } from "node:path"
import { isIP } from "node:net"
import { Command, InvalidArgumentError } from "commander"
import {
    parseRoute,
    routeForm,
    startClinic,
    type BackupPlan,
    type MasterKey,
    type PublicationFlags,
    type PublicationPlan,
    type RunningClinic,
    type SignInSettings,
} from "../../clinic/index.ts"
import type { AcmePlan } from "../../host/acme.ts"
import { readAuthorities, type CertificateFiles } from "../../host/certificate.ts"
import { complaints } from "../../host/check.ts"
import { UserError } from "../../host/errors.ts"
import type { Log } from "../../host/log.ts"
import { readCredentials, writeCredentials, type Credentials } from "../credentials.ts"
import { checkClinicConfiguration } from "../check/clinic.ts"
import { report } from "../check/faults.ts"
import { checkSignIn } from "../check/sign-in.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { checkOption, httpsUrl, integer, logLevelOption, option, port, timeZone, withConfigFile } from "../options.ts"
import { signInFrom, signInOptions, type OpenIdFlags } from "../openid-options.ts"
import { checkPassphrase, givenPassphrase, passphraseFileOption, passphraseVariable } from "../passphrase.ts"
import { checkPublication, publicationFrom, publishOptions } from "../publish-options.ts"
import { runUntilStopped, stderrLog } from "../service.ts"

interface Options extends OpenIdFlags, PublicationFlags, KeyFlags {
    data: string
    database?: string
    host: string
    httpsPort: number
    name?: string[]
    tlsCert?: string
    tlsKey?: string
    acmeDirectory?: string
    acmeEmail?: string
    acmePort: number
    acmeCa?: string
    routerCa?: string
    baseUrl?: string
    trustedProxies?: string[]
    notify?: string[]
    timeZone?: string
    backup?: string
    backupEvery: number
    backupKeep: number
    passphraseFile?: string
    check?: boolean
    logLevel: string
}

export const clinicCommand = withConfigFile(
    new Command("clinic")
        .description("run the clinic's service: storage, FHIR, the ward's live page")
        .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
        .addOption(databaseOption())
        .addOption(option("--host <name>", "address to listen on").default("localhost"))
        .addOption(option("--https-port <port>", "HTTPS port").argParser(port).default(8443))
        .addOption(
            option(
                "--name <name>",
                "another name or address by which clients reach the clinic, for the certificate that it makes; repeatable",
            ).argParser<string[]>((text, names = []) => [...names, certificateName(text)]),
        )
        .addOption(
            option(
                "--tls-cert <file>",
                "the hospital's certificate and chain instead, PEM; read again when it changes",
            ),
        )
        .addOption(option("--tls-key <file>", "its private key, PEM, if --tls-cert does not contain it"))
        .addOption(
            option(
                "--acme-directory <url>",
                "or a certificate by ACME for each --name; you agree to the authority's terms",
            ).argParser(httpsUrl),
        )
        .addOption(option("--acme-email <address>", "where the authority writes to"))
        .addOption(
            option("--acme-port <port>", "where requests to port 80 of each --name arrive").argParser(port).default(80),
        )
        .addOption(
            option("--acme-ca <file>", "authorities to verify the directory with, PEM, in place of the usual ones"),
        )
        .addOption(
            option(
                "--router-ca <file>",
                "authorities of the routers' certificates, PEM: routers need one of them beside their token",
            ),
        )
        .addOption(
            option("--base-url <url>", "the address that browsers use, if a proxy is in front of the clinic").argParser(
                httpsUrl,
            ),
        )
        .addOption(
            option(
                "--trusted-proxies <nets>",
                "proxies whose X-Forwarded-… headers are trusted: addresses or networks, separated by commas",
            ).argParser<string[]>((text, nets = []) => [...nets, ...text.split(",")]),
        )
        .addOption(
            option(
                "--notify <route>",
                `notify people of alarms; repeatable: ${routeForm}; SECONDS: only if nobody has acknowledged by then`,
            ).argParser((text, routes: string[] = []) => [...routes, text]),
        )
        .addOption(
            option(
                "--time-zone <name>",
                "of the ward, such as Europe/Berlin (default: that of this machine)",
            ).argParser(timeZone),
        )
        .addOption(option("--backup <dir>", "write backups into this folder; needs a passphrase"))
        .addOption(
            option("--backup-every <h>", "hours between backups")
                .argParser(integer(1, 24 * 31))
                .default(24),
        )
        .addOption(option("--backup-keep <n>", "backups to keep").argParser(integer(1, 10_000)).default(14))
        .addOption(passphraseFileOption())
        .addOption(checkOption())
        .addOption(logLevelOption("info")),
).action(async (options: Options, command: Command) => {
    refuseSeenPassword(command, options.database)
    if (options.check) {
        const { notify, ...rest } = options
        const checked = await checkClinicConfiguration({
            ...rest,
            ...certificateFiles(options),
            ...(notify && { notify }),
            master: () => givenMasterKey(options),
        })
        const passphrase = await complaints(() => backupPlan(options))
        const signIn = await checkSignIn(options)
        const publication = await checkPublication(options)
        const { routerCa } = options
        const acme = await complaints(() => acmePlan(options))
        const authorities = routerCa === undefined ? [] : await complaints(() => readAuthorities(routerCa))
        return report(
            [...checked.faults, ...passphrase, ...signIn.faults, ...publication, ...authorities, ...acme],
            [...checked.notes, ...signIn.notes],
        )
    }
    const backup = backupPlan(options)
    const publication = publicationFrom(options)
    const acme = acmePlan(options)
    const master = await givenMasterKey(options)
    const clinic = await openClinic(
        options.data,
        {
            ...options,
            ...(backup && { plan: backup }),
            signIn: signInFrom(options, options),
            publication,
            master,
            acme,
        },
        stderrLog(options.logLevel),
    )
    await runUntilStopped(() => clinic.close(), `ready ${clinic.url}`)
})
for (const each of [...keyOptions(), ...signInOptions(), ...publishOptions()]) clinicCommand.addOption(each)

function backupPlan({ backup, backupEvery, backupKeep, passphraseFile }: Options): BackupPlan | undefined {
    if (backup === undefined) return undefined
    const passphrase = givenPassphrase(passphraseFile)
    if (passphrase === undefined)
        throw new UserError(`--backup: a passphrase is needed, in ${passphraseVariable} or by --passphrase-file`, 2)
    checkPassphrase(passphrase)
    return { folder: backup, everyMs: backupEvery * 3_600_000, keep: backupKeep, passphrase }
}

function certificateFiles({ tlsCert, tlsKey }: ClinicAccess): { certificate?: CertificateFiles } {
    if (tlsCert === undefined && tlsKey !== undefined) throw new UserError("--tls-key: --tls-cert is needed, too", 2)
    return tlsCert === undefined ? {} : { certificate: { cert: tlsCert, key: tlsKey ?? tlsCert } }
}

function acmePlan(options: Options): AcmePlan | undefined {
    const { acmeDirectory: directory, acmeEmail: email, acmePort: port, acmeCa, tlsCert } = options
    if (directory === undefined) return undefined
    if (tlsCert !== undefined) throw new UserError("--acme-directory and --tls-cert: leave one of them out", 2)
    const names = (options.name ?? []).filter(name => !isIP(name))
    if (names.length === 0) throw new UserError("--acme-directory: a host name is needed (--name)", 2)
    return { directory, email, names, port, ...(acmeCa !== undefined && { ca: readAuthorities(acmeCa) }) }
}

/** What a certificate can name: an IP address, or a host name (RFC 1123 §2.1). */
function certificateName(text: string): string {
    if (isIP(text) || /^(?=.{1,253}$)(\w([\w-]{0,61}\w)?\.)*\w([\w-]{0,61}\w)?$/.test(text)) return text
    throw new InvalidArgumentError("Expected a host name or an address.")
}

type ClinicAccess = Pick<
    Options,
    | "database"
    | "host"
    | "httpsPort"
    | "name"
    | "tlsCert"
    | "tlsKey"
    | "routerCa"
    | "baseUrl"
    | "trustedProxies"
    | "notify"
    | "timeZone"
>

/** A running clinic and its credentials. */
export interface OpenClinic extends RunningClinic {
    /** Undefined if somebody removed the file. The clinic still works then. */
    credentials: Credentials | undefined
    credentialsFile: string
}

/** Starts a clinic in the folder `data`. The first start creates the credentials. */
export async function openClinic(
    data: string,
    options: ClinicAccess & {
        plan?: BackupPlan
        signIn?: SignInSettings
        publication?: PublicationPlan | undefined
        master?: MasterKey | undefined
        acme?: AcmePlan | undefined
    },
    log: Log,
): Promise<OpenClinic> {
    const credentialsFile = join(data, "credentials.json")
    const earlier = readCredentials(credentialsFile)
    const isEmbedded = options.database === undefined
    const database = isEmbedded ? join(data, "clinic", "clinic.db") : "the database"
    // The credentials are written after the database, so if they exist, there was a database.
    if (earlier && isEmbedded && !(statSync(database, { throwIfNoEntry: false })?.size ?? 0))
        throw new UserError(`${database} is missing or empty: restore it from a copy, or use another --data folder`)
    const secret = process.env.VITALMOTE_WEBHOOK_SECRET
    const routes = options.notify?.map(text => parseRoute(text, secret, () => Date.now()))
    const names = routes?.map(({ name }) => name) ?? []
    if (new Set(names).size < names.length) throw new UserError("--notify: each NAME once", 2)
    const running = await startClinic({
        data: join(data, "clinic"),
        host: options.host,
        port: options.httpsPort,
        log,
        ...(options.database !== undefined && { database: options.database }),
        ...(options.timeZone !== undefined && { timeZone: options.timeZone }),
        ...(routes && { notify: routes }),
        publication: options.publication,
        ...{ master: options.master, acme: options.acme },
        ...(options.plan && { backup: options.plan }),
        ...(options.signIn && { signIn: options.signIn }),
        ...(options.name && { names: options.name }),
        ...certificateFiles(options),
        ...(options.routerCa !== undefined && { routerCa: readAuthorities(options.routerCa) }),
        proxies: {
            ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl }),
            trustedProxies: options.trustedProxies ?? [],
        },
    })
    const place = { clinic: running.url, ca: running.caFile }
    try {
        let credentials = earlier && { ...earlier, ...place }
        // Accounts come before their credentials: without them this is not the database that they belong to.
        if (credentials && (await running.clinic.accounts.isEmpty()))
            throw new UserError(`${database} has no users, but ${credentialsFile} is there: restore the database`)
        const made = await running.clinic.setUp(async made => {
            credentials = { ...place, ...made, motes: [] }
            writeCredentials(credentialsFile, credentials)
        })
        if (!made && credentials) writeCredentials(credentialsFile, credentials)
        return { ...running, credentials, credentialsFile }
    } catch (error) {
        await running.close()
        throw error
    }
}
