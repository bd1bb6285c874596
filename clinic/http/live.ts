import { PassThrough } from "node:stream"
import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { Clinic } from "../clinic.ts"
import type { User } from "../people/accounts.ts"
import { may, patientsFor } from "../people/permissions.ts"
import { maySee, seenBy } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom, userOf } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { LiveClient } from "./live-client.ts"
import { Showing } from "./showing.ts"
import { LiveQuery, LiveStream } from "./schemas/live.ts"
import type { App } from "./typed-app.ts"

/** A page that misses two of them says that it is cut off. */
const heartbeatMs = 3000
/** A stream that stays open is one look, which goes on. */
const renewBeats = 20
/** What waits in the stream itself; the rest waits in the client. */
const bufferBytes = 64 * 1024
const maxClients = 500
/** So many observations of all patients are looked through for those that the user sees; a ward of 200 makes as many in ten minutes. */
const maxBehind = 50_000
/** So that one user cannot take them all: several screens with several pages each. */
const maxClientsPerUser = 20

/**
 * New vital signs and alarms as Server-Sent Events (WHATWG HTML §9.2): first `alarms` with the ids of those that belong on the
 * screen, then each of them as `alarm`, and again whenever it changes; `observation` with the id as event id; `score` when a NEWS2 changes; `time` as a heartbeat
 * with the server's clock; `reset` where the client has missed too many observations.
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
            config: { access: "watch", audit: "ward", isStream: true },
        },
        async (request, reply) => {
            let user = userFrom(request)
            /** What was opened with a reason closes by the clock, before anybody comes to look. */
            const now = () => {
                const { opened = [] } = user
                if (opened.length === 0) return user
                return { ...user, opened: opened.filter(({ endsAt }) => o.clinic.now() < endsAt) }
            }
            const isVisible = (patient: number | null) => maySee(now(), "watch", patient)
            const show = new Showing(isVisible, patients => request.showing(patients))
            const onWard = async () => {
                const patients = patientsFor(now(), "watch")
                return show.first(patients === "all" ? (await o.clinic.patients.ward()).map(({ id }) => id) : patients)
            }
            const patients = await onWard()
            const ofUser = [...clients.values()].filter(id => id === user.id).length
            if (ofUser >= maxClientsPerUser) throw new ProblemError("too-many-streams")
            if (clients.size >= maxClients) throw new ProblemError("full")
            const since = idIn(request.headers["last-event-id"]) ?? idIn(request.query.since)
            about(request, ...patients)
            const stream = new PassThrough({ highWaterMark: bufferBytes })
            const client = new LiveClient(stream, { isVisible, clock: o.clock })
            const told = (patients: (number | null)[], tell: () => void) => {
                show.before(patients, tell).catch(() => stream.destroy())
            }
            const patientsIn = (news: { patient: number | null }[]) => news.map(({ patient }) => patient)
            const shown = async <T extends { patient: number | null }>(news: T[]): Promise<T[]> => {
                await show.before(patientsIn(news), () => {})
                return news
            }
            const stops = [
                o.clinic.live.subscribe(found => told(patientsIn(found), () => client.addObservations(found))),
                o.clinic.liveAlarms.subscribe(changed => told(patientsIn(changed), () => client.addAlarms(changed))),
                o.clinic.news2.subscribe(score => told([score.patient], () => client.addScore(score))),
                o.clinic.onReachChanged(() => void lookAgain()),
            ]
            let heartbeat: Timer
            let beats = 0
            const beat = () => {
                heartbeat = o.clock.setTimeout(() => void check(), heartbeatMs)
            }
            /** Whom the user sees now: somebody may have come to the ward or left it. Nothing is written meanwhile. */
            const look = async () => {
                const still = await userOf(request, o.clinic).catch(() => undefined)
                if (still?.id !== user.id || !may(still, "watch")) stream.destroy()
                if (stream.destroyed || !still) return
                const isSame = sees(still) === sees(user)
                // So that the record has what is shown from now on as what it is by now.
                request.user = user = still
                if (!isSame) client.restart(await shown(await o.clinic.alarms.open(seenBy(user, "watch"))))
            }
            let looking: Promise<void> | undefined
            let again = false
            const lookAgain = async () => {
                again = true
                client.hold()
                looking ??= (async () => {
                    while (again) {
                        again = false
                        await look()
                    }
                })()
                    .catch(() => void stream.destroy())
                    .finally(() => {
                        looking = undefined
                        client.release()
                    })
                await looking
            }
            const check = async () => {
                await lookAgain()
                if (stream.destroyed) return
                client.beat(await o.clinic.conditions().catch(() => []))
                beat()
                if (++beats % renewBeats === 0) await request.showing(await onWard()).catch(() => stream.destroy())
            }
            clients.set(stream, user.id)
            stream.on("close", () => {
                clients.delete(stream)
                for (const stop of stops) stop()
                o.clock.clearTimeout(heartbeat)
            })
            client.beat(await o.clinic.conditions())
            beat()
            const news = {
                openAlarms: async () => await shown(await o.clinic.alarms.open(seenBy(user, "watch"))),
                observationsSince: async (id: number, limit: number) => {
                    const patients = patientsFor(now(), "watch")
                    if (patients !== "all" && (await o.clinic.observations.newestId()) - id > maxBehind)
                        return undefined
                    return await shown(await o.clinic.observations.since(id, limit, patients))
                },
            }
            client.catchUp(since, news).catch((error: Error) => {
                o.log.error({ reason: error.message }, "a live client cannot catch up")
                stream.destroy()
            })
            return reply.headers({ "content-type": "text/event-stream", "x-accel-buffering": "no" }).send(stream)
        },
    )
}

/** Whom the user sees, as a text that is the same as long as these are the same. */
function sees(user: User): string {
    const patients = patientsFor(user, "watch")
    return patients === "all" ? patients : patients.sort((a, b) => a - b).join()
}

function idIn(value: string | string[] | undefined): number | undefined {
    return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
