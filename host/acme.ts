import { X509Certificate } from "node:crypto"
import { createServer, type Server } from "node:http"
import { Agent } from "node:https"
import { join } from "node:path"
import { elapsedMs, type Clock, type Timer } from "./clock.ts"
import { reasonOf } from "./errors.ts"
import { readIfThere, writeDurably } from "./files.ts"
import type { Log } from "./log.ts"

/** A certificate by ACME (RFC 8555), for whose names this machine answers over HTTP (http-01, §8.3). */
export interface AcmePlan {
    /** URL of the authority's directory. */
    directory: string
    /** Told of what goes wrong, by some authorities. */
    email?: string | undefined
    /** DNS names; at least one. */
    names: readonly string[]
    /** Where the authority's requests arrive: port 80 of each name. */
    port: number
    /** Authorities that the directory's own certificate is verified with, PEM, in place of the usual ones. */
    ca?: string | undefined
}

const checkMs = 60_000
const maxBackoffMs = 6 * 3_600_000
/** Authorities count orders: where a clock that was set makes each new certificate look old, there are few all the same. */
const betweenOrdersMs = 12 * 3_600_000
const orderMs = 5 * 60_000
const requestMs = 30_000
const secretMode = 0o600
const challengePath = "/.well-known/acme-challenge/"

/** Certificate, chain and key in one file of the data folder. */
export function acmeFile(data: string): string {
    return join(data, "acme.pem")
}

/** Orders a certificate where there is none or a third of its time is left. What works is never taken away. */
export class AcmeRenewal {
    private readonly o: { plan: AcmePlan; data: string; clock: Clock; log: Log }
    private readonly answers = new Map<string, string>()
    private timer: Timer
    private atWork: Promise<void> = Promise.resolve()
    private failures = 0
    private triedAt: number | undefined
    private isStopped = false
    private server: Server | undefined

    constructor(o: { plan: AcmePlan; data: string; clock: Clock; log: Log }) {
        this.o = o
    }

    start(): void {
        this.atWork = this.check().finally(() => this.wait())
    }

    async stop(): Promise<void> {
        this.isStopped = true
        this.o.clock.clearTimeout(this.timer)
        // An order that is under way is of no use to anybody any more; the library cannot be told to stop.
        this.close()
        await Promise.race([this.atWork, new Promise(resolve => setImmediate(resolve))])
    }

    private wait(): void {
        if (this.isStopped) return
        this.timer = this.o.clock.setTimeout(() => this.start(), checkMs)
    }

    private async check(): Promise<void> {
        const { clock, data, log, plan } = this.o
        if (!isDue(readIfThere(acmeFile(data))?.toString(), plan.names, clock.now())) return
        if (this.triedAt !== undefined && elapsedMs(clock) - this.triedAt < this.pauseMs()) return
        this.triedAt = elapsedMs(clock)
        try {
            await this.order()
            this.failures = 0
            log.info({ names: plan.names.join(" ") }, "a certificate was obtained by ACME")
        } catch (error) {
            this.failures++
            const nextInMinutes = Math.round(this.pauseMs() / 60_000)
            log.error({ reason: reasonOf(error), nextInMinutes }, "no certificate by ACME")
        }
    }

    private pauseMs(): number {
        return this.failures === 0 ? betweenOrdersMs : Math.min(checkMs * 2 ** (this.failures - 1), maxBackoffMs)
    }

    private async order(): Promise<void> {
        const { data, plan } = this.o
        const { default: acme } = await import("acme-client")
        const accountFile = join(data, "acme-account.pem")
        const accountKey = readIfThere(accountFile) ?? (await acme.crypto.createPrivateEcdsaKey())
        writeDurably(accountFile, accountKey, secretMode)
        acme.axios.defaults.timeout = requestMs
        const { acmeSettings } = acme.axios.defaults as unknown as { acmeSettings: Record<string, number> }
        Object.assign(acmeSettings, { retryMaxAttempts: 1, retryDefaultDelay: 1 })
        if (plan.ca !== undefined) acme.axios.defaults.httpsAgent = new Agent({ ca: plan.ca })
        const client = new acme.Client({ directoryUrl: plan.directory, accountKey, backoffMin: 1000 })
        const [key, csr] = await acme.crypto.createCsr(
            { altNames: [...plan.names] },
            await acme.crypto.createPrivateEcdsaKey(),
        )
        this.server = await this.listen()
        if (this.isStopped) this.close()
        try {
            const chain = await within(
                orderMs,
                client.auto({
                    csr,
                    ...(plan.email !== undefined && { email: plan.email }),
                    termsOfServiceAgreed: true,
                    challengePriority: ["http-01"],
                    skipChallengeVerification: true,
                    challengeCreateFn: async (_authorization, { type, token }, answer) => {
                        if (type !== "http-01") throw new Error("the authority offers no challenge over HTTP")
                        this.answers.set(token, answer)
                    },
                    challengeRemoveFn: async (_authorization, { token }) => void this.answers.delete(token),
                }),
            )
            const certificate = new X509Certificate(chain)
            if (!plan.names.every(name => certificate.checkHost(name)))
                throw new Error("the authority sent a certificate with other names")
            writeDurably(acmeFile(data), `${chain.trim()}\n${key.toString()}`, secretMode)
        } catch (error) {
            // The library reads the answer that did not come.
            if (error instanceof TypeError)
                throw new Error("the authority does not answer, or its certificate cannot be verified", {
                    cause: error,
                })
            throw error
        } finally {
            this.close()
        }
    }

    private close(): void {
        this.answers.clear()
        this.server?.close()
        this.server?.closeAllConnections()
        this.server = undefined
    }

    /** Answers the authority's requests, and nobody else's. */
    private listen(): Promise<Server> {
        const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
            const { method, url = "" } = request
            const answer = url.startsWith(challengePath) ? this.answers.get(url.slice(challengePath.length)) : undefined
            response.writeHead(method === "GET" && answer ? 200 : 404, { "content-type": "text/plain" })
            response.end(answer)
        })
        server.maxConnections = 64
        return new Promise((resolve, reject) => {
            server.once("error", reject)
            server.listen(this.o.plan.port, () => resolve(server))
        })
    }
}

/** Whether the certificate is none, has not all names, or has less than a third of its time left at `now` (unix ms). */
export function isDue(pem: string | undefined, names: readonly string[], now: number): boolean {
    try {
        const certificate = new X509Certificate(pem ?? "")
        const [from, to] = [certificate.validFrom, certificate.validTo].map(time => Date.parse(time))
        return now > to! - (to! - from!) / 3 || !names.every(name => certificate.checkHost(name))
    } catch {
        return true
    }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`the authority did not finish within ${ms / 60_000} minutes`)), ms)
        timer.unref()
    })
    return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
