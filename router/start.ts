import { randomBytes, X509Certificate } from "node:crypto"
import { createSocket } from "node:dgram"
import { statSync } from "node:fs"
import { statfs } from "node:fs/promises"
import { createServer, isIPv6, type AddressInfo, type Server } from "node:net"
import { uptime } from "node:os"
import { join } from "node:path"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"
import { fastify, type FastifyInstance } from "fastify"
import { buildDateMs } from "../host/build-date.ts"
import { elapsedMs, realClock } from "../host/clock.ts"
import { reasonOf, UserError } from "../host/errors.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import type { MqttBrokerAccess } from "../host/mqtt/access.ts"
import { socketStream, type ByteStream } from "../host/stream.ts"
import { servePage, type PageAccess } from "./access/serve.ts"
import type { Place } from "./admission.ts"
import type { Attach } from "./attachment.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { NamedClinic } from "./clinics/keyrings.ts"
import type { MachineTime } from "./clinic-time.ts"
import type { Around } from "./browser/routes.ts"
import { CoapUdp } from "./coap/udp.ts"
import { serveDns, type DnsAccess } from "./dns/server.ts"
import { MqttClient } from "./mqtt/client.ts"
import { ConsumerAccounts } from "./mqtt/consumer-accounts.ts"
import { MqttBroker } from "./mqtt/broker.ts"
import { defaultMaxOutboxBytes } from "./ingest.ts"
import { listen } from "./listen.ts"
import { ReloadedCertificate } from "./operation/certificate.ts"
import { RouterMetrics, type Surroundings } from "./operation/metrics.ts"
import { operationRoutes } from "./operation/routes.ts"
import { watchedClinic } from "./operation/watched-clinic.ts"
import { relayHttp } from "./relay/http.ts"
import { Router } from "./router.ts"
import { identify } from "./store/identity.ts"
import { watchNetwork } from "./status/border-router.ts"
import type { AllowedTargets } from "./targets/allowed.ts"
import { Targets } from "./targets/targets.ts"
import { SqliteStore } from "./store/sqlite.ts"
import { admitBeforeHandshake } from "./tls-admission.ts"

/** Certificate, key and ports for TLS. */
export interface TlsAccess {
    /** The certificate chain in PEM, the server's own certificate first. */
    cert: string
    /** The private key in PEM. */
    key: string
    coapsPort: number
    /** The port of MQTT over TLS; without it there is none. */
    mqttsPort?: number
    /** Reads both again. What it returns is served from then on. */
    read?: () => { cert: string; key: string }
}

/** A router on real sockets. */
export interface RunningRouter {
    coapPort: number
    mqttPort: number | undefined
    /** The port of CoAP over TLS. */
    coapsPort: number | undefined
    /** The port of MQTT over TLS. */
    mqttsPort: number | undefined
    /** True if CoAP is also served over UDP, on the same port number. */
    hasUdp: boolean
    httpPort: number | undefined
    /** The port of the page over HTTPS, with login. */
    pagePort: number | undefined
    /** The port on which there are only metrics and health. */
    metricsPort: number | undefined
    dnsPort: number | undefined
    router: Router
    /** Accepts no more connections, closes the others, then the store. */
    close(): Promise<void>
}

/**
 * Runs a router with this machine's clock and sockets. Port 0 means any port. Closes `clinic` at the end. Throws
 * UserError if the store or a port cannot be used.
 */
export async function startRouter(o: {
    /** The folder of the store. */
    data: string
    /** The address on which motes are served. */
    host?: string
    coapPort: number
    /** The port of the built-in MQTT broker; without it there is none. */
    mqttPort?: number
    /** An external MQTT broker through which motes are served as well. */
    mqttBroker?: MqttBrokerAccess
    /** The group of routers that share the motes of that broker. */
    mqttShare?: string | undefined
    /** Serves motes over TLS as well, on separate ports. */
    tls?: TlsAccess
    /** False for no CoAP over UDP. It is also skipped, with a warning, if the port is in use. */
    udp?: boolean
    /** Serves HTTP clients. */
    http?: HttpAccess
    /** Serves the page over HTTPS, with login, for other machines. */
    page?: PageAccess
    /** CoAP servers other than motes that the page may ask. */
    targets?: AllowedTargets
    /** The 6LoWPAN border router whose network the page shows. */
    borderRouter?: { host: string; port: number }
    /** Serves metrics and health on an address of their own, too. */
    metrics?: { host: string; port: number }
    /** Serves a DNS name. */
    dns?: DnsAccess
    /** The clinic, or several. */
    clinic: ClinicLink | readonly NamedClinic[]
    maxOutboxBytes?: number
    maxDeadLetterBytes?: number
    moteBytesPerMinute?: number
    /** Delivers the dead letters to the clinic once more. */
    retryRefused?: boolean
    log: Log
}): Promise<RunningRouter> {
    const { maxOutboxBytes, maxDeadLetterBytes, moteBytesPerMinute, host = "127.0.0.1", log } = o
    const parts: { close(): unknown }[] = []
    const { tls } = o
    const reloaded = tls?.read && new ReloadedCertificate({ current: tls, read: tls.read, clock: realClock, log })
    if (reloaded) parts.push(reloaded)
    let stored: SqliteStore | undefined
    const metrics = new RouterMetrics(
        surroundings({
            ...o,
            certificate: () => reloaded?.pem ?? tls?.cert,
            outboxFileBytes: () => stored?.outboxFileBytes ?? 0,
        }),
    )
    const clinics = ("deliver" in o.clinic ? [{ name: "", link: o.clinic }] : o.clinic).map(clinic => ({
        ...clinic,
        link: watchedClinic(clinic.link, metrics.contactOf(clinic.name), {
            ...{ now: () => realClock.now(), elapsed: () => elapsedMs(realClock) },
            answered: (operation, ms, isGood) => metrics.answered(clinic.name, operation, ms, isGood),
        }),
    }))
    const close = async () => {
        for (let part = parts.pop(); part; part = parts.pop()) await part.close()
    }
    const listenOn = async (server: Server, port: number) => {
        parts.push({ close: () => void server.close() })
        await listen(server, port, host, log)
        return server.address() as AddressInfo
    }
    const serve = (side: ServerSide, port: number) =>
        listenOn(
            createServer(socket => side.accept(socketStream(socket))),
            port,
        )
    const serveTls = async (side: ServerSide, { cert, key }: TlsAccess, protocol: string, port: number) => {
        const server = tlsServer(side, { cert, key, ALPNProtocols: [protocol] })
        reloaded?.serve(server)
        return (await listenOn(server, port)).port
    }
    try {
        for (const { link } of clinics) parts.push({ close: () => link.close?.() })
        const store = SqliteStore.open(o.data, log)
        stored = store
        parts.push(store)
        const madeAt = identify(store, o.data, Date.now(), log)
        if (madeAt !== undefined) for (const { link } of clinics) link.setStoreCreatedAt?.(madeAt)
        if (o.retryRefused) store.retryRefused()
        const { mqttPort: wantedMqttPort, mqttBroker: access } = o
        let broker: MqttBroker | undefined
        const attach: Attach[] = []
        if (wantedMqttPort !== undefined)
            attach.push(parts => (broker = new MqttBroker(parts, consumerAccounts(o.data))))
        if (access) attach.push(parts => new MqttClient({ ...parts, access, share: o.mqttShare }))
        const router = new Router({
            ...{ clock: realClock, random: randomBytes, store, clinic: clinics, attach, log },
            ...(maxOutboxBytes !== undefined && { maxOutboxBytes }),
            ...(maxDeadLetterBytes !== undefined && { maxDeadLetterBytes }),
            ...(moteBytesPerMinute !== undefined && { moteBytesPerMinute }),
            machine: realMachine,
            onCommitted: ms => metrics.committed(ms),
        })
        metrics.watch(router)
        broker?.watch(() => router.status().motes)
        const more = (app: FastifyInstance) => operationRoutes(app, { router, metrics })
        parts.push(router)
        const coap = await serve(router, o.coapPort)
        const coapPort = coap.port
        const udp = o.udp === false ? undefined : await serveUdp(router, coap, log)
        if (udp) parts.push(udp)
        const coapsPort = o.tls && (await serveTls(router, o.tls, "coap", o.tls.coapsPort))
        const mqttPort = broker && wantedMqttPort !== undefined ? (await serve(broker, wantedMqttPort)).port : undefined
        const mqttsPort =
            broker && o.tls?.mqttsPort !== undefined
                ? await serveTls(broker, o.tls, "mqtt", o.tls.mqttsPort)
                : undefined
        const network = o.borderRouter && watchNetwork({ ...o.borderRouter, clock: realClock, log })
        if (network) parts.push(network)
        const targets = o.targets && new Targets({ allowed: o.targets, clock: realClock, log })
        if (targets) parts.push(targets)
        const around: Around = {
            ...{ coapPort, maxOutboxBytes: maxOutboxBytes ?? defaultMaxOutboxBytes },
            clinic: name => {
                const { answeredAt, clockErrorMs } = metrics.contactOf(name)
                return { silentMs: elapsedMs(realClock) - answeredAt, clockErrorMs }
            },
            ...(network && { network: () => network.now }),
            ...(targets && { targets }),
        }
        const http = o.http && (await serveHttp(router, { ...o.http, ...around, more }, log))
        if (http) parts.push(http)
        const httpPort = http?.port
        const page = o.page && (await servePage(router, o.page, { ...around, data: o.data, more, log }))
        if (page) parts.push(page)
        const pagePort = page?.port
        const metricsServer = o.metrics && (await serveMetrics(more, { ...o.metrics, log }))
        if (metricsServer) parts.push(metricsServer)
        const metricsPort = metricsServer?.port
        const dns = o.dns && (await serveDns(o.dns, log))
        if (dns) parts.push(dns)
        const dnsPort = dns?.port
        const hasUdp = udp !== undefined
        const ports = { coapPort, coapsPort, mqttPort, mqttsPort, httpPort, pagePort, metricsPort, dnsPort }
        log.info({ ...ports, hasUdp }, "router listens")
        return { ...ports, hasUdp, router, close }
    } catch (error) {
        await close()
        throw error
    }
}

/** Those who may subscribe at the router's own MQTT broker; `data` is the folder of its store. */
export function consumerAccounts(data: string): ConsumerAccounts {
    return new ConsumerAccounts({ data, random: randomBytes })
}

async function serveMetrics(
    more: (app: FastifyInstance) => void,
    { host, port, log }: { host: string; port: number; log: Log },
): Promise<{ port: number; close(): unknown } | undefined> {
    const app = fastify({ forceCloseConnections: true, requestTimeout: 10_000 })
    app.server.maxConnections = 64
    more(app)
    return await serveApp(app, { host, port, log, isOptional: false })
}

function surroundings({
    data,
    certificate,
    outboxFileBytes,
    maxOutboxBytes = defaultMaxOutboxBytes,
}: {
    data: string
    certificate: () => string | undefined
    outboxFileBytes: () => number
    maxOutboxBytes?: number
}): Surroundings {
    const bytes = (name: string) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0
    return {
        disk: async () => {
            const { bavail, blocks, bsize } = await statfs(data)
            return { free: bavail * bsize, size: blocks * bsize }
        },
        databaseBytes: () => bytes("router.db") + bytes("router.db-wal") + outboxFileBytes(),
        certificateEnds: () => {
            const pem = certificate()
            return pem === undefined ? undefined : Date.parse(new X509Certificate(pem).validTo)
        },
        elapsed: () => elapsedMs(realClock),
        maxOutboxBytes,
    }
}

const realMachine: MachineTime = {
    monotonic: () => performance.now(),
    startedAt: () => Date.now() - uptime() * 1000,
    notBefore: buildDateMs,
}

/** A server that admits and accepts connections. */
interface ServerSide {
    accept(stream: ByteStream, place?: Place): void
    admit(peer: string, drop: () => void): Place | undefined
}

/** The time limit for a TLS handshake. */
const tlsHandshakeMs = 5_000

/**
 * Makes a TLS server. It admits a connection before the handshake to limit those as well. Throws UserError for an
 * unusable key.
 */
function tlsServer(side: ServerSide, options: TlsOptions): Server {
    try {
        const server = createTlsServer({ ...options, handshakeTimeout: tlsHandshakeMs })
        const placeOf = admitBeforeHandshake(server, (peer, drop) => side.admit(peer, drop))
        server.on("secureConnection", socket => side.accept(socketStream(socket), placeOf(socket)))
        return server
    } catch (error) {
        throw new UserError(`TLS certificate or key: ${reasonOf(error)}`)
    }
}

/** The address for HTTP clients. */
export interface HttpAccess {
    port: number
    /** By default this machine only. */
    host?: string
    /** Additional host names under which clients reach this machine. */
    names?: string[]
    /** If true, a port that is in use is not an error. */
    isOptional?: boolean
}

/** Serves HTTP clients. Throws UserError if the port cannot be used, or returns undefined if it is optional. */
export async function serveHttp(
    router: Router,
    access: HttpAccess & Around & { more?: (app: FastifyInstance) => void },
    log: Log,
): Promise<{ port: number; close(): unknown } | undefined> {
    const { port, host = "127.0.0.1", names = [], isOptional } = access
    return await serveApp(relayHttp(router, { ...access, names: [host, ...names] }), {
        ...{ port, host, log, isOptional },
    })
}

async function serveApp(
    app: FastifyInstance,
    { port, host, log, isOptional }: { port: number; host: string; log: Log; isOptional: boolean | undefined },
): Promise<{ port: number; close(): unknown } | undefined> {
    await app.ready()
    try {
        return { port: await listen(app.server, port, host, log), close: () => app.close() }
    } catch (error) {
        await app.close()
        if (!isOptional || !(error instanceof UserError)) throw error
        log.warn({ reason: error.message }, "motes are not served to HTTP clients")
        return undefined
    }
}

/**
 * Serves CoAP over UDP on the address of CoAP over TCP. Motes do not need it, so a port in use only causes a warning.
 */
export function serveUdp(
    router: Router,
    { address, port }: AddressInfo,
    log: Log,
): Promise<{ close(): void } | undefined> {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4")
    const coap = new CoapUdp({
        ...{ clock: realClock, random: randomBytes, serve: router.serve, log },
        send: (bytes, to) =>
            socket.send(bytes, to.port, to.address, error => {
                if (error) log.debug({ reason: reasonOf(error) }, "a datagram was not sent")
            }),
    })
    return new Promise(resolve => {
        socket.once("error", error => {
            socket.close()
            log.warn({ port, reason: reasonOf(error) }, "CoAP is not served over UDP")
            resolve(undefined)
        })
        socket.bind(port, address, () => {
            socket.removeAllListeners("error")
            const failures = new LogSummary(`errors of UDP port ${port}`, { clock: realClock, log, level: "warn" })
            socket.on("error", error => failures.count(reasonOf(error)))
            socket.on("message", (bytes, from) => coap.receive(bytes, from))
            resolve({
                close: () => {
                    coap.close()
                    socket.close()
                },
            })
        })
    })
}
