import type { AddressInfo, Server } from "node:net"
import { realClock } from "../host/clock.ts"
import { reasonOf, UserError } from "../host/errors.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"

/**
 * The listen backlog. A flood of connections fills Node's default of 511 at once and delays a mote's connection by a
 * second.
 */
const maxBacklog = 4096

/**
 * Listens and resolves to the port. Later errors, such as too many open files, are logged, and the server continues.
 */
export function listen(server: Server, port: number, host: string, log: Log): Promise<number> {
    return new Promise((resolve, reject) => {
        const failed = (error: Error) =>
            reject(new UserError(`cannot listen on ${host} port ${port}: ${reasonOf(error)}`))
        server.once("error", failed)
        server.listen({ port, host, backlog: maxBacklog }, () => {
            server.off("error", failed)
            const message = `connections not accepted on port ${port}`
            const failures = new LogSummary(message, { clock: realClock, log, level: "warn" })
            server.on("error", error => failures.count(reasonOf(error)))
            resolve((server.address() as AddressInfo).port)
        })
    })
}
