import type { Server as TcpServer } from "node:net"
import type { Server } from "node:tls"
import type { KeyPair } from "../../host/certificate.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"

/** How soon a certificate that was replaced is served. */
const checkMs = 5_000

/** Serves a new certificate when its files change, so that a router need not restart once in three months. */
export class ReloadedCertificate {
    private readonly servers: Server[] = []
    private readonly read: () => KeyPair
    private readonly clock: Clock
    private readonly log: Log
    private readonly failures: LogSummary
    private current: KeyPair
    private timer: Timer

    /** @param o.read throws if the files cannot be read or do not match; then the old certificate stays */
    constructor(o: { current: KeyPair; read: () => KeyPair; clock: Clock; log: Log }) {
        this.current = o.current
        this.read = o.read
        this.clock = o.clock
        this.log = o.log
        this.failures = new LogSummary("cannot read the new certificate", { ...o, level: "warn" })
        this.wait()
    }

    get pem(): string {
        return this.current.cert
    }

    serve(server: TcpServer): void {
        this.servers.push(server as Server)
    }

    close(): void {
        this.clock.clearTimeout(this.timer)
    }

    private wait(): void {
        this.timer = this.clock.setTimeout(() => {
            this.check()
            this.wait()
        }, checkMs)
    }

    private check(): void {
        try {
            const { cert, key } = this.read()
            if (cert === this.current.cert && key === this.current.key) return
            for (const server of this.servers) server.setSecureContext({ cert, key })
            this.current = { cert, key }
            this.log.info({}, "the certificate was replaced")
        } catch (error) {
            this.failures.count((error as Error).message)
        }
    }
}
