import { X509Certificate } from "node:crypto"
import { existsSync } from "node:fs"
import type { SecureContextOptions, Server } from "node:tls"
import { readCertificate, timeFault, type CertificateFiles } from "./certificate.ts"
import type { Clock, Timer } from "./clock.ts"
import type { Log } from "./log.ts"
import { serverCertificate, type ServerCertificate, type Service } from "./server-certificate.ts"

export interface CertificateOptions {
    service: Service
    /** Folder of the service's own authority. */
    data: string
    /** Where the service listens; named in its own certificate. */
    host: string
    /** Further names and addresses for its own certificate. */
    names?: readonly string[]
    /** Authorities of the clients' certificates, PEM, if clients are asked for one. */
    clientCa?: string | undefined
    /** Shown instead of its own certificate to everybody who does not ask for `localhost`. */
    files?: CertificateFiles
    /** The files may come later: until then its own is shown. */
    isAwaited?: boolean
    clock: Clock
    log: Log
}

/** So long a certificate may be one that clients refuse where files were changed or the time of day was set. */
const checkMs = 5_000
const minVersion = "TLSv1.2"
/** Commands on this machine ask for this name, and verify it with the service's own authority. */
export const localName = "localhost"

/**
 * What a service shows to its clients. A service that runs for a year has to change it while it does: where its own ends soon, where the
 * hospital's files have changed, or where a machine without a battery clock has learnt the time.
 */
export class Certificates {
    private readonly o: CertificateOptions
    private own: ServerCertificate
    private files: ServerCertificate | undefined
    private server: Server | undefined
    private timer: Timer
    private failure: string | undefined

    private constructor(o: CertificateOptions, own: ServerCertificate) {
        this.o = o
        this.own = own
        this.files = this.readFiles()
    }

    /** Throws UserError for files that cannot be used. */
    static async open(o: CertificateOptions): Promise<Certificates> {
        const { data, host, names, clock, service } = o
        const certificates = new Certificates(o, await serverCertificate(data, host, clock.now(), names, service))
        certificates.sayTimes()
        return certificates
    }

    /** What is shown to everybody but commands on this machine. */
    get shown(): ServerCertificate {
        return this.files ?? this.own
    }

    /** When what is shown ends, unix ms. */
    ends(): number {
        return Date.parse(new X509Certificate(this.shown.cert).validTo)
    }

    /** Keeps what `server` shows up to date until `stop`. */
    serve(server: Server): void {
        this.server = server
        if (this.o.files) server.addContext(localName, this.context(this.own))
        this.wait()
    }

    stop(): void {
        this.o.clock.clearTimeout(this.timer)
        this.server = undefined
    }

    private wait(): void {
        this.timer = this.o.clock.setTimeout(() => void this.check().finally(() => this.server && this.wait()), checkMs)
    }

    private async check(): Promise<void> {
        const { data, host, names, files, clock, log, service } = this.o
        const before = this.shown.cert
        try {
            const own = await serverCertificate(data, host, clock.now(), names, service)
            if (files && own.cert !== this.own.cert) this.server?.addContext(localName, this.context(own))
            this.own = own
            this.files = this.readFiles()
            this.failure = undefined
        } catch (error) {
            // Somebody may be in the middle of replacing the files.
            const { message } = error as Error
            if (this.failure !== message) log.error({ reason: message }, "cannot renew the certificate")
            this.failure = message
        }
        if (this.shown.cert === before) return
        const server = this.server as unknown as { setSecureContext(options: SecureContextOptions): void } | undefined
        server?.setSecureContext(this.context(this.shown))
        log.info({ until: new Date(this.ends()).toISOString() }, "the certificate was renewed")
        this.sayTimes()
    }

    private readFiles(): ServerCertificate | undefined {
        const { files, isAwaited } = this.o
        return files && (!isAwaited || existsSync(files.cert)) ? readCertificate(files) : undefined
    }

    private context(certificate: ServerCertificate): SecureContextOptions {
        const { clientCa } = this.o
        return { minVersion, ...certificate, ...(clientCa !== undefined && { ca: clientCa }) }
    }

    /** The hospital's certificate is shown whatever the time is: the machine's clock may be what is wrong. */
    private sayTimes(): void {
        const fault = this.files && timeFault(this.files.cert, this.o.clock.now())
        if (fault) this.o.log.warn({ file: this.o.files?.cert, fault }, "browsers will refuse the certificate")
    }
}
