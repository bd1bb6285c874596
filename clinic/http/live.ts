import { PassThrough } from "node:stream"
import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { Alarm } from "../alarms/alarms.ts"
import type { Clinic } from "../clinic.ts"
import type { Observation } from "../readings/observations.ts"
import { may } from "../people/permissions.ts"
import { shownAlarm } from "./alarms.ts"
import { userFrom, userOf } from "./auth.ts"
import { HttpError } from "./errors.ts"
import { LiveQuery, LiveStream, type LiveEvents } from "./schemas/live.ts"
import type { App } from "./typed-app.ts"
import { shownObservation } from "./ward.ts"

const heartbeatMs = 10_000
/** What a client may have missed and still get; beyond this it starts over from /api/ward. */
const maxMissed = 1000
/** A client that reads too slowly is cut off at this; it comes back for the rest with its Last-Event-ID. */
const maxBacklogBytes = 256 * 1024
const maxClients = 500
/** So that one user cannot take them all: several screens with several pages each. */
const maxClientsPerUser = 20

/**
 * New vital signs as Server-Sent Events (WHATWG HTML §9.2): `observation` with the id as event id; `alarms` with all that
 * belong on the screen, at once and whenever one changes; `time` as a heartbeat with the server's clock; `reset` where the
 * client has missed too much.
 */
export function liveRoutes(app: App, o: { clinic: Clinic; clock: Clock; log: Log }): void {
    /** The open streams, each with its user. */
    const clients = new Map<PassThrough, number>()
    app.get(
        "/api/live",
        {
            exposeHeadRoute: false, // the stream would have nobody to read it
            schema: {
                tags: ["ward"],
                summary: "New vital signs and alarms as they arrive (text/event-stream)",
                querystring: LiveQuery,
                response: { 200: { description: "Events", content: { "text/event-stream": { schema: LiveStream } } } },
            },
            config: { access: "read" },
        },
        async (request, reply) => {
            const user = userFrom(request)
            const ofUser = [...clients.values()].filter(id => id === user.id).length
            if (ofUser >= maxClientsPerUser) throw new HttpError(429, "too many live clients of this user")
            if (clients.size >= maxClients) throw new HttpError(503, "too many live clients")
            const since = idIn(request.headers["last-event-id"]) ?? idIn(request.query.since)
            const stream = new PassThrough({ highWaterMark: maxBacklogBytes })
            const client = new LiveClient(stream, patient => may(user, "read", patient), o.clinic)
            const stops = [
                o.clinic.live.subscribe(found => client.add(found)),
                o.clinic.liveAlarms.subscribe(open => client.alarms(open)),
            ]
            let heartbeat: Timer
            const beat = () => {
                heartbeat = o.clock.setTimeout(() => void check(), heartbeatMs)
            }
            const check = async () => {
                const still = await userOf(request, o.clinic).catch(() => undefined)
                if (still?.id !== user.id) stream.destroy()
                if (stream.destroyed) return
                client.beat()
                beat()
            }
            clients.set(stream, user.id)
            stream.on("close", () => {
                clients.delete(stream)
                for (const stop of stops) stop()
                o.clock.clearTimeout(heartbeat)
            })
            client.beat()
            beat()
            client.catchUp(since).catch((error: Error) => {
                o.log.error({ reason: error.message }, "a live client cannot catch up")
                stream.destroy()
            })
            return reply.headers({ "content-type": "text/event-stream", "x-accel-buffering": "no" }).send(stream)
        },
    )
}

class LiveClient {
    private readonly stream: PassThrough
    private readonly isVisible: (patient: number) => boolean
    private readonly clinic: Clinic
    /** Newest id sent; undefined while catching up. */
    private newest: number | undefined
    private waiting: Observation[] = []

    constructor(stream: PassThrough, isVisible: (patient: number) => boolean, clinic: Clinic) {
        this.stream = stream
        this.isVisible = isVisible
        this.clinic = clinic
    }

    /** Sends the alarms, what was stored after `since`, then what has come in meanwhile. */
    async catchUp(since: number | undefined): Promise<void> {
        this.alarms(await this.clinic.alarms.open())
        const missed = since === undefined ? [] : await this.clinic.observations.since(since, maxMissed + 1)
        this.newest = since ?? 0
        if (missed.length > maxMissed) this.event("reset", {})
        else this.add(missed)
        this.add(this.waiting)
        this.waiting = []
    }

    add(found: Observation[]): void {
        const { newest } = this
        if (newest === undefined) {
            this.waiting.push(...found)
            return
        }
        for (const observation of found) {
            if (observation.id <= newest || !this.isVisible(observation.patient)) continue
            this.newest = observation.id
            this.event("observation", shownObservation(observation), observation.id)
        }
    }

    alarms(open: Alarm[]): void {
        const visible = open.filter(({ patient }) => this.isVisible(patient))
        this.event("alarms", visible.map(shownAlarm))
    }

    /** The comment is for proxies, the event for pages, which cannot see comments. */
    beat(): void {
        this.write(": heartbeat\n")
        this.event("time", { now: this.clinic.now() })
    }

    private event<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name], id?: number): void {
        const idLine = id === undefined ? "" : `id: ${id}\n`
        this.write(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`)
    }

    private write(text: string): void {
        if (this.stream.writableEnded || this.stream.destroyed) return
        if (!this.stream.write(text)) this.stream.destroy()
    }
}

function idIn(value: string | string[] | undefined): number | undefined {
    return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
