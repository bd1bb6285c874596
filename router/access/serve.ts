import { randomBytes } from "node:crypto"
import { join } from "node:path"
import type { Server } from "node:tls"
import type { FastifyInstance } from "fastify"
import type { CertificateFiles } from "../../host/certificate.ts"
import { Certificates } from "../../host/certificates.ts"
import { realClock } from "../../host/clock.ts"
import { makeFolder } from "../../host/files.ts"
import type { Log } from "../../host/log.ts"
import { peerOf } from "../../host/stream.ts"
import { Admission } from "../admission.ts"
import type { Around } from "../browser/routes.ts"
import { listen } from "../listen.ts"
import { relayHttp, type Relayed } from "../relay/http.ts"
import { admitBeforeHandshake } from "../tls-admission.ts"
import { SignIn } from "./sign-in.ts"
import { PageUsers } from "./users.ts"

/** Where the router's page is served over HTTPS, with login. */
export interface PageAccess {
    host: string
    port: number
    /** Further names of this machine, for the certificate, too. */
    names?: string[]
    /** A certificate instead of one by an authority of the router's own. */
    certificate?: CertificateFiles
}

const maxConnections = 256
const handshakeMs = 5_000

/** The users of the page of the router with this store. */
export function pageUsers(data: string): PageUsers {
    return new PageUsers({ folder: join(data, "page", "users"), now: () => Date.now(), random: randomBytes })
}

/**
 * Serves the page and the relay for HTTP clients over HTTPS, for those who have signed in. Throws UserError if certificate or port
 * cannot be used.
 * @param o.data the folder of the router's store
 */
export async function servePage(
    router: Relayed,
    access: PageAccess,
    o: Around & { data: string; more?: (app: FastifyInstance) => void; log: Log },
): Promise<{ port: number; close(): Promise<void> }> {
    const { host, names = [], certificate } = access
    const { log } = o
    const folder = join(o.data, "page")
    makeFolder(folder)
    const certificates = await Certificates.open({
        ...{ service: "router", data: folder, host, names, clock: realClock, log },
        ...(certificate && { files: certificate }),
    })
    const users = pageUsers(o.data)
    if (!users.all().some(({ password, setup }) => password ?? setup))
        log.warn({}, "nobody can sign in at the router's page yet: `vitalmote router users add NAME` prints a link")
    const signIn = new SignIn({
        ...{ users, clock: realClock, random: randomBytes },
        signedIn: ({ raw: { socket } }) => placeOf(socket)?.login(peerOf(socket)),
    })
    const app = relayHttp(router, {
        ...{ ...o, names: [host, ...names], signIn },
        tls: { ...certificates.shown, minVersion: "TLSv1.2", handshakeTimeout: handshakeMs },
    })
    const admission = new Admission({ clock: realClock, max: maxConnections })
    const placeOf = admitBeforeHandshake(app.server as unknown as Server, (peer, drop) => admission.admit(peer, drop))
    await app.ready()
    try {
        const port = await listen(app.server, access.port, host, log)
        certificates.serve(app.server as unknown as Server)
        return {
            port,
            close: async () => {
                certificates.stop()
                await app.close()
            },
        }
    } catch (error) {
        await app.close()
        throw error
    }
}
