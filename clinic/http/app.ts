import type { Server } from "node:https"
import helmet from "@fastify/helmet"
import fastify from "fastify"
import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { pagePolicy } from "../../host/pages.ts"
import type { BackupHolds } from "../backup/holds.ts"
import type { Clinic } from "../clinic.ts"
import { LoginLimits } from "../../host/login-limits.ts"
import type { ServerCertificate } from "../../host/server-certificate.ts"
import { ProblemError } from "../errors.ts"
import { alarmRoutes } from "./alarms.ts"
import { alarmLogRoutes } from "./alarm-log.ts"
import { associationRoutes } from "./associations.ts"
import { auditRoutes } from "./audit.ts"
import { recordAccess } from "./audited.ts"
import { authenticate } from "./auth.ts"
import { compressAnswers } from "./compression.ts"
import { connectionLimits, Connections, type ConnectionLimits } from "./connections.ts"
import { backupRoutes } from "./backup.ts"
import { breakGlassRoutes } from "./break-glass.ts"
import { burdenRoutes } from "./burden.ts"
import { configurationRoutes } from "./configurations.ts"
import { answerErrors, answerFrameworkError, formatSchemaError } from "./errors.ts"
import { erasureRoutes } from "./erasures.ts"
import { fhirRoutes } from "./fhir.ts"
import { healthRoutes } from "./health.ts"
import { ingestRoutes } from "./ingest.ts"
import { liveRoutes } from "./live.ts"
import { ClinicMetrics, type Surroundings } from "./metrics.ts"
import { moteRoutes } from "./motes.ts"
import { news2Routes } from "./news2.ts"
import { noteRoutes } from "./notes.ts"
import { clinicPageRoutes, type Pages } from "./pages.ts"
import { ownAccountRoutes } from "./own-account.ts"
import { PasskeyAnswers } from "./passkey-answers.ts"
import { patientRoutes } from "./patients.ts"
import { describeRoutes } from "./openapi.ts"
import type { App } from "./typed-app.ts"
import { ownTimeZone } from "../time-zone.ts"
import { proxyCheck, publicAddress, withoutPrefix, type ProxyOptions } from "./proxies.ts"
import { Provider } from "../sign-in/provider.ts"
import { SignInRecord } from "./sign-in-record.ts"
import { signInRoutes, type SignInSettings } from "./sign-in.ts"
import { retentionRoutes } from "./retention.ts"
import { routerRoutes } from "./routers.ts"
import { tokenRoutes } from "./tokens.ts"
import { Turns } from "./turns.ts"
import { userRoutes } from "./users.ts"
import { wardRuleRoutes } from "./ward-rules.ts"
import { wardRoutes } from "./ward.ts"

const maxBodyBytes = 64 * 1024
const handshakeTimeoutMs = 5000
const headersTimeoutMs = 10_000
const requestTimeoutMs = 30_000
/** Of who has shown who they are; for others see `Connections`. */
const idleTimeoutMs = 75_000
const checkMs = 5000

/** The clinic over HTTPS, not listening yet. */
export async function buildApp(o: {
    clinic: Clinic
    clock: Clock
    log: Log
    certificate: ServerCertificate
    /** Authorities of the routers' certificates, PEM: routers without such a certificate are refused. */
    routerCa?: string | undefined
    holds: BackupHolds
    surroundings: Surroundings
    pages: Pages
    proxies?: ProxyOptions
    timeZone?: string
    limits?: ConnectionLimits
    signIn?: SignInSettings
    /** Where browsers see the clinic if no base URL says so. */
    ownUrl: () => string
}): Promise<App> {
    const { clinic, clock, log, proxies = {}, limits = connectionLimits } = o
    const isProxy = proxyCheck(proxies.trustedProxies)
    const address = proxies.baseUrl === undefined ? undefined : publicAddress(proxies.baseUrl)
    const { path: prefix = "" } = address ?? {}
    const app = fastify({
        https: {
            ...o.certificate,
            // Only routers are refused without one; see `authenticate`.
            ...(o.routerCa !== undefined && { ca: o.routerCa, requestCert: true, rejectUnauthorized: false }),
            minVersion: "TLSv1.2",
            handshakeTimeout: handshakeTimeoutMs,
            headersTimeout: headersTimeoutMs,
            connectionsCheckingInterval: checkMs,
        },
        trustProxy: isProxy,
        rewriteUrl: ({ url = "/" }) => withoutPrefix(url, prefix),
        bodyLimit: maxBodyBytes,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: idleTimeoutMs,
        forceCloseConnections: true, // live streams would never end
        // What a client sends is taken as it is or refused, never changed to fit.
        frameworkErrors: answerFrameworkError,
        schemaErrorFormatter: formatSchemaError,
        ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    }) as unknown as App

    answerErrors(app, { log, clock })
    await app.register(helmet, {
        contentSecurityPolicy: pagePolicy,
        referrerPolicy: { policy: "same-origin" },
        // With a certificate authority of our own, browsers could not be talked past a warning for any port of this host.
        strictTransportSecurity: false,
    })
    app.addHook("onSend", async (_request, reply) => {
        if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store")
    })
    recordAccess(app, o)
    compressAnswers(app)
    // Answers are checked against their schemas by the compiler and by the tests; a serializer made of them would hide mistakes.
    app.setSerializerCompiler(() => data => JSON.stringify(data))
    await describeRoutes(app)

    const connections = new Connections({ clock, log, limits, isProxy })
    connections.watch(app.server as unknown as Server)
    const { timeZone = ownTimeZone() } = o
    const loginLimits = new LoginLimits(clock, () => new ProblemError("too-often"))
    const { openid, passwordsOnlyFor } = o.signIn ?? {}
    const base = () => (address ? address.origin + prefix : o.ownUrl())
    const answers = new PasskeyAnswers({ clinic, base, path: prefix })
    const record = new SignInRecord(clinic, clock)
    await authenticate(app, {
        ...{ clinic, connections, loginLimits, address, timeZone, passwordsOnlyFor, answers, record },
        mustRoutersShowCertificate: o.routerCa !== undefined,
    })
    signInRoutes(app, {
        ...{ clinic, limits: loginLimits, address, passwordsOnlyFor, base, answers, record },
        provider: openid && new Provider(openid, { clock, log }),
    })
    const turns = new Turns()
    clinicPageRoutes(app, o.pages)
    // The page's own links are relative to its folder.
    if (prefix !== "")
        app.get(prefix, { config: { access: "public" } }, async (_request, reply) => reply.redirect(`${prefix}/`, 308))
    healthRoutes(app, { clinic, metrics: new ClinicMetrics(clinic, o.surroundings) })
    wardRoutes(app, clinic, turns)
    liveRoutes(app, o)
    patientRoutes(app, clinic, turns)
    breakGlassRoutes(app, clinic)
    noteRoutes(app, clinic)
    news2Routes(app, clinic, turns)
    moteRoutes(app, clinic, turns)
    associationRoutes(app, clinic)
    configurationRoutes(app, clinic)
    alarmLogRoutes(app, clinic)
    alarmRoutes(app, clinic)
    burdenRoutes(app, clinic, turns)
    wardRuleRoutes(app, clinic)
    userRoutes(app, clinic, address && address.origin + prefix)
    tokenRoutes(app, clinic)
    ownAccountRoutes(app, { clinic, limits: loginLimits, answers, record, address })
    auditRoutes(app, clinic)
    backupRoutes(app, o.holds)
    routerRoutes(app, clinic)
    retentionRoutes(app, clinic)
    erasureRoutes(app, clinic)
    await ingestRoutes(app, clinic)
    await fhirRoutes(app, clinic, turns, address && address.origin + prefix)
    return app
}
