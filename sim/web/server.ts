import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import helmet from "@fastify/helmet"
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify"
import { reasonOf, UserError } from "../../host/errors.ts"
import { isFromOtherSite } from "../../host/other-sites.ts"
import { bundlePages, pagePolicy, pageRoutes } from "../../host/pages.ts"
import type { Runner } from "../run/runner.ts"
import type { Simulation } from "../run/simulation.ts"
import { controlRoutes } from "./control.ts"
import { answerErrors, HttpError } from "./errors.ts"
import { Feed } from "./feed.ts"
import { Stream } from "./stream.ts"

const maxBodyBytes = 256 * 1024
const requestTimeoutMs = 30_000
const maxConnections = 64
const address = "127.0.0.1"

export interface LiveView {
    url: string
    close(): Promise<void>
}

/**
 * Serves a simulation to browsers on this machine, and accepts commands from them.
 * @param port 0 takes a free one
 * @throws UserError if the port cannot be used
 */
export async function startLiveView(simulation: Simulation, runner: Runner, port: number): Promise<LiveView> {
    const feed = new Feed(simulation, runner)
    const stream = new Stream(feed)
    const app = await buildApp({ simulation, runner, feed, stream })
    const close = async () => {
        simulation.observers.remove(feed)
        stream.close()
        await app.close()
    }
    try {
        await app.listen({ host: address, port })
    } catch (error) {
        await close()
        throw new UserError(`cannot listen on ${address}:${port}: ${reasonOf(error)}`)
    }
    simulation.observers.add(feed)
    const bound = app.server.address() as AddressInfo
    return { url: `http://${address}:${bound.port}/`, close }
}

async function buildApp(o: {
    simulation: Simulation
    runner: Runner
    feed: Feed
    stream: Stream
}): Promise<FastifyInstance> {
    const app = fastify({
        bodyLimit: maxBodyBytes,
        requestTimeout: requestTimeoutMs,
        forceCloseConnections: true, // event streams never end by themselves
        // Defaults and form limits in the schema are for the page only.
        ajv: {
            customOptions: {
                coerceTypes: false,
                removeAdditional: false,
                useDefaults: false,
                keywords: ["step", "empty", "formMaximum"],
            },
        },
    })
    app.server.maxConnections = maxConnections
    answerErrors(app)
    app.removeContentTypeParser("text/plain")
    await app.register(helmet, {
        contentSecurityPolicy: pagePolicy,
        strictTransportSecurity: false,
    })
    app.addHook("onRequest", async request => refuseStrangers(request))
    app.addHook("onSend", async (_request, reply) => {
        if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store")
    })
    pageRoutes(app, bundlePages(fileURLToPath(new URL("./page/", import.meta.url))))
    controlRoutes(app, o)
    app.get("/api/live", { exposeHeadRoute: false }, async (_request, reply) => {
        const stream = o.stream.open()
        if (!stream) throw new HttpError(503, "too many pages")
        return reply.type("text/event-stream").send(stream)
    })
    return app
}

/**
 * Rejects requests from other pages. Any page in a browser on this machine can send requests here; a page whose name
 * resolves to this address can even read the responses (DNS rebinding). Only our page has this address as host and, for
 * commands, as origin.
 */
function refuseStrangers({ headers, socket, method }: FastifyRequest): void {
    const hosts = [address, "localhost"].map(name => `${name}:${socket.localPort}`)
    if (!hosts.includes(headers.host ?? "")) throw new HttpError(403, "wrong host")
    if (isFromOtherSite(method, headers, "http")) throw new HttpError(403, "the request comes from another site")
}
