import { randomBytes, randomUUID } from "node:crypto"
import { rmSync } from "node:fs"
import { statfs } from "node:fs/promises"
import type { AddressInfo } from "node:net"
import type { Server } from "node:tls"
import { basename, dirname, join, resolve } from "node:path"
import type { FastifyInstance } from "fastify"
import type { CertificateFiles } from "../host/certificate.ts"
import { AcmeRenewal, acmeFile, type AcmePlan } from "../host/acme.ts"
import { realClock, type Clock, type Timer } from "../host/clock.ts"
import { UserError } from "../host/errors.ts"
import { makeFolder } from "../host/files.ts"
import type { Log } from "../host/log.ts"
import { EquipmentWatch } from "./alarms/equipment.ts"
import { rulesFor } from "./alarms/rules.ts"
import { BackupHolds } from "./backup/holds.ts"
import { refuseRemains, refuseRestoring } from "./check.ts"
import { BackupSchedule, makeApart, type BackupPlan } from "./backup/schedule.ts"
import { trialName } from "./backup/contents.ts"
import { Clinic } from "./clinic.ts"
import {
    bytesOf,
    isRotating,
    keyFile,
    newClinicKey,
    readClinicKey,
    writeClinicKey,
    type ClinicKey,
} from "./keys/clinic-key.ts"
import type { MasterKey } from "./keys/master-key.ts"
import { settle } from "./keys/rotate.ts"
import { describe } from "./delivery/notices.ts"
import { Outbox, type Route } from "./delivery/outbox.ts"
import type { PublicationPlan } from "./publication/plan.ts"
import { Publisher } from "./publication/publisher.ts"
import { buildApp } from "./http/app.ts"
import type { SignInSettings } from "./http/sign-in.ts"
import type { ConnectionLimits } from "./http/connections.ts"
import type { Surroundings } from "./http/metrics.ts"
import { clinicPages } from "./http/pages.ts"
import type { ProxyOptions } from "./http/proxies.ts"
import { anchorAudit, openAudit } from "./audit/anchors.ts"
import type { Store } from "./store/store.ts"
import { holdFile } from "./store/sqlite/hold.ts"
import { openStore } from "./store/open.ts"
import { LocalAccess } from "./local-access.ts"
import { isWildcard } from "../host/server-certificate.ts"
import { Certificates } from "../host/certificates.ts"

export interface StartOptions {
    /** The data folder; made where it does not exist. */
    data: string
    /** URL of a PostgreSQL database; without it the database is SQLite's, in the data folder. */
    database?: string
    /** The key around the clinic's own; without it the data folder has that as it is. */
    master?: MasterKey | undefined
    /** Where to listen; also named in the certificate. */
    host?: string
    /** 0 takes a free one. */
    port: number
    clock?: Clock
    log: Log
    /** Further names and addresses for the certificate that the clinic makes for itself. */
    names?: readonly string[]
    /** The hospital's certificate instead. */
    certificate?: CertificateFiles
    /** Or one by ACME; `names` are its names. */
    acme?: AcmePlan | undefined
    proxies?: ProxyOptions
    /** Of the ward (IANA), in which pages show times; without it that of the machine. */
    timeZone?: string
    /** Ways to tell people of alarms beside the page. */
    notify?: readonly Route[]
    /** Authorities of the routers' certificates, PEM: routers without such a certificate are refused. */
    routerCa?: string | undefined
    /** What a broker of the hospital gets. */
    publication?: PublicationPlan | undefined
    limits?: ConnectionLimits
    signIn?: SignInSettings
    /** Backups by schedule; the data folder is `clinic` in another one, all of which belongs to the backup. */
    backup?: BackupPlan
}

export interface RunningClinic {
    url: string
    /** The certificate authority that clients verify the clinic with. */
    caFile: string
    clinic: Clinic
    close(): Promise<void>
}

/** Starts the service on its data folder. Throws UserError where folder, key, database, certificate or port are unusable. */
export async function startClinic(o: StartOptions): Promise<RunningClinic> {
    const { host = "127.0.0.1", clock = realClock, log } = o
    const data = resolve(o.data)
    makeFolder(data)
    refuseRestoring(data)
    if (o.database === undefined) refuseRemains(data)
    // An interrupted backup may have left a copy of the database.
    rmSync(join(data, basename(trialName)), { recursive: true, force: true })
    const isEmbedded = o.database === undefined
    const isInterrupted = isRotating(data)
    const found = isInterrupted ? undefined : readClinicKey(data, o.master)
    const known = found ?? (isEmbedded && !isInterrupted ? makeKey(data, o.master) : undefined)
    const { store, bytes } = await openStore(data, o.database)
    try {
        const key = isInterrupted
            ? await settle(data, store, [o.master])
            : (known ?? (await firstKey(store, data, o.master)))
        const clinic = await Clinic.open({
            ...{
                store,
                clock,
                random: randomBytes,
                key: key.secrets,
                log,
                ...(o.timeZone !== undefined && { timeZone: o.timeZone }),
            },
            ...{ alarmRules: rulesFor(o.notify ?? []), channels: (o.notify ?? []).map(({ name }) => name) },
        })
        await openAudit(clinic.audit, data, log)
        const certificates = await Certificates.open({
            ...{ service: "clinic" as const, data, host, clock, log, clientCa: o.routerCa },
            ...(o.names && { names: o.names }),
            ...(o.certificate && { files: o.certificate }),
            ...(o.acme && { files: { cert: acmeFile(data), key: acmeFile(data) }, isAwaited: true }),
        })
        const urlOf = (app: FastifyInstance) => {
            const { port } = app.server.address() as AddressInfo
            return `https://${isWildcard(host) ? "localhost" : inUrl(host)}:${port}`
        }
        const holds = new BackupHolds(clock, () => {
            if (isEmbedded) return holdFile(store)
            throw new UserError("the database is PostgreSQL's: give --database")
        })
        const parts: { outbox?: Outbox; publisher?: Publisher; backups?: Backups } = {}
        const failing = () => [...(parts.outbox?.failing() ?? []), ...(parts.publisher?.failing() ?? [])]
        const surroundings: Surroundings = {
            disk: () => diskOf(data),
            databaseBytes: bytes,
            certificateEnds: () => certificates.ends(),
            lastBackupAt: () => parts.backups?.newestAt(),
            failingChannels: () => failing().length,
        }
        const app: FastifyInstance = await buildApp({
            ...{ ...o, clinic, clock, certificate: certificates.shown, pages: clinicPages(), holds, surroundings },
            ownUrl: () => urlOf(app),
        })
        await listen(app, host, o.port)
        const outbox = (parts.outbox = await deliverAlarms(clinic, store, o, () => `https://${host}:${o.port}`))
        const { publication: plan } = o
        const publisher =
            plan &&
            (await Publisher.start({
                ...{ plan, clinic, store, clock, random: randomBytes, log },
                key: key.pseudonyms,
            }))
        if (publisher) parts.publisher = publisher
        certificates.serve(app.server as unknown as Server)
        const acme = o.acme && new AcmeRenewal({ plan: o.acme, data, clock, log })
        acme?.start()
        const backups =
            o.backup &&
            (parts.backups = scheduleBackups(o.backup, { data, database: o.database, key, holds, clock, log }))
        const equipment = new EquipmentWatch({
            ...{ store, alarms: clinic.alarms, routers: () => clinic.routers.all(), failing },
            ...{
                certificateEnds: () => certificates.ends(),
                disk: async () => (await diskOf(data)).free,
                now: () => clinic.now(),
                log,
            },
            isBackupOverdue: () => backups?.isOverdue() ?? false,
        })
        const watch = watchAlarms({ clinic, store, outbox, publisher, equipment, clock, log })
        clinic.retention.start()
        const anchors = anchorAudit(clinic.audit, { data, clock, log })
        const url = urlOf(app)
        const local = new LocalAccess(data)
        try {
            local.grant({ url, token: clinic.accounts.localToken() })
        } catch (error) {
            // On a full disk the clinic still shows what it has.
            log.error({ reason: (error as Error).message }, "commands on this machine cannot reach the clinic")
        }
        return {
            url,
            caFile: join(data, "ca.pem"),
            clinic,
            close: async () => {
                local.revoke()
                certificates.stop()
                await acme?.stop()
                await backups?.stop()
                await watch.stop()
                await clinic.retention.stop()
                await outbox.stop()
                await publisher?.stop()
                await app.close()
                await holds.stop()
                await anchors.stop()
                await clinic.close()
            },
        }
    } catch (error) {
        await store.close()
        throw error
    }
}

type Backups = Pick<BackupSchedule, "isOverdue" | "newestAt" | "stop">

interface BackupParts {
    data: string
    database: string | undefined
    key: ClinicKey
    holds: BackupHolds
    clock: Clock
    log: Log
}

function scheduleBackups(plan: BackupPlan, { data, database, key, holds, clock, log }: BackupParts): Backups {
    const ending = new AbortController()
    const make = async (file: string) => {
        const id = database === undefined ? await holds.begin({ expires: false }) : undefined
        const released = () => void (id !== undefined && holds.end(id))
        const request = {
            ...{ data: dirname(data), file, passphrase: plan.passphrase, now: clock.now() },
            ...{ key: Buffer.from(bytesOf(key)).toString("hex"), ...(database !== undefined && { database }) },
        }
        await makeApart(request, released, ending.signal)
    }
    const schedule = new BackupSchedule({ plan, clock, log, make })
    schedule.start()
    return {
        isOverdue: () => schedule.isOverdue(),
        newestAt: () => schedule.newestAt(),
        stop: async () => {
            ending.abort()
            await schedule.stop()
        },
    }
}

function makeKey(data: string, master: MasterKey | undefined): ClinicKey {
    const made = newClinicKey()
    writeClinicKey(data, made, master)
    return made
}

/** Of a clinic whose database is elsewhere: a new key would open nothing of what is in it. */
async function firstKey(store: Store, data: string, master: MasterKey | undefined): Promise<ClinicKey> {
    if (await store.account.isEmpty()) return makeKey(data, master)
    throw new UserError(
        `${keyFile(data)} is missing, and the database is in use: copy it from the other machine, or restore it`,
    )
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
    try {
        await app.listen({ host, port })
    } catch (error) {
        await app.close()
        const { code, message } = error as NodeJS.ErrnoException
        if (code === "EADDRINUSE") throw new UserError(`port ${port} of ${host} is in use`)
        throw new UserError(`cannot listen on port ${port} of ${host}: ${message}`)
    }
}

async function deliverAlarms(clinic: Clinic, store: Store, o: StartOptions, own: () => string): Promise<Outbox> {
    const { clock = realClock, log, notify = [] } = o
    const baseUrl = o.proxies?.baseUrl?.replace(/\/$/, "") ?? own()
    const outbox = new Outbox({
        ...{ store, routes: notify, clock, log, newId: randomUUID },
        accepted: async (alarm, by) => {
            await clinic.alarms.acknowledge(alarm, by).catch((error: Error) => {
                log.info({ alarm, by, reason: error.message }, "an acknowledgement by HL7 changes nothing")
            })
        },
        describe: (alarm, delivery) => describe(clinic, baseUrl, alarm, delivery),
    })
    clinic.alarms.follow(outbox)
    await outbox.start()
    return outbox
}

const watchMs = 1000
/** Whatever is not worth a look each second. */
const slowSeconds = 3

async function diskOf(folder: string): Promise<{ free: number; size: number }> {
    const { bavail, blocks, bsize } = await statfs(folder)
    return { free: bavail * bsize, size: blocks * bsize }
}

interface Watched {
    clinic: Clinic
    store: Store
    outbox: Outbox
    publisher: Publisher | undefined
    equipment: EquipmentWatch
    clock: Clock
    log: Log
}

/**
 * What raises, escalates and ends alarms by time alone. A second is waited for anew each time: clocks jump. Of several processes on a
 * database one does it; another one that takes over begins as after a start.
 */
function watchAlarms({ clinic, store, outbox, publisher, equipment, clock, log }: Watched): { stop(): Promise<void> } {
    let timer: Timer
    let wasOnDuty = true
    let checked = Promise.resolve()
    let seconds = 0
    const tried = async (what: string, work: () => Promise<void>) => {
        await work().catch((error: Error) => {
            log.error({ reason: error.message }, `cannot look after the ${what}`)
        })
    }
    const check = async () => {
        const { isOnDuty } = store
        if (isOnDuty && !wasOnDuty) {
            log.info({}, "this process watches the time for alarms, and tells people, from now on")
            clinic.silence.restart()
            clinic.arrivals.restart()
            outbox.wake()
            publisher?.wake()
        }
        wasOnDuty = isOnDuty
        if (isOnDuty) await onDuty()
        else await idle()
        wait()
    }
    /** Its pages show scores all the same, and what it could not write it tries to write again. */
    const idle = async () => {
        await clinic.news2Watch.check()
        if (++seconds % slowSeconds !== 0) return
        await clinic.check().catch(() => {})
        await tried("audit record", () => clinic.audit.retry())
    }
    const onDuty = async () => {
        await Promise.all([clinic.silence.check(), clinic.news2Watch.check()])
        if (++seconds % slowSeconds === 0) {
            // A disk that fails while nobody writes is noticed all the same; the pages are told by `conditions`.
            await clinic.check().catch(() => {})
            await equipment.check()
            await tried("arrivals", () => clinic.arrivals.check())
            await tried("batteries", () => clinic.batteries.check())
            await tried("audit record", () => clinic.audit.retry())
            await tried("audit record", () => clinic.audit.closeEnded())
        }
        await tried("alarms", () => clinic.alarms.tick())
    }
    const wait = () => {
        timer = clock.setTimeout(() => {
            checked = check()
        }, watchMs)
    }
    wait()
    return {
        stop: async () => {
            clock.clearTimeout(timer)
            await checked
            clock.clearTimeout(timer)
        },
    }
}

function inUrl(host: string): string {
    return host.includes(":") ? `[${host}]` : host
}
