import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance } from "fastify"
import { ping } from "../mesh/ping.ts"
import { routerPage, routerView } from "../mesh/page.ts"
import { traceroute } from "../mesh/traceroute.ts"
import type { Runner } from "../run/runner.ts"
import { mediumOf, MediumSchema } from "../radio/media/media.ts"
import type { Simulation } from "../run/simulation.ts"
import { detailOf } from "./detail.ts"
import { HttpError } from "./errors.ts"
import type { Feed } from "./feed.ts"

const strict = { additionalProperties: false }
const metres = Type.Number({ minimum: -100_000, maximum: 100_000 })
const lookMs = 20

const Step = Type.Object({ to: Type.Union(["event", "frame", "second"].map(to => Type.Literal(to))) }, strict)
const Speed = Type.Object(
    {
        limit: Type.Union([Type.Number({ minimum: 0.001, maximum: 1e6 }), Type.Null()], {
            description: "times real time; null: as fast as it can",
        }),
    },
    strict,
)
const Place = Type.Object({ x: metres, y: metres }, strict)
const Count = Type.Object({ count: Type.Integer({ minimum: 1, maximum: 1000 }) }, strict)
const Nothing = Type.Object({}, strict)
const Numbered = Type.Object({ id: Type.String({ pattern: "^[1-9][0-9]{0,4}$" }) }, strict)
const PacketNumber = Type.Object({ n: Type.String({ pattern: "^[1-9][0-9]{0,14}$" }) }, strict)
type Numbered = Static<typeof Numbered>

/** Routes for a page's queries and commands. Commands are executed between two events. */
export function controlRoutes(
    app: FastifyInstance,
    { simulation, runner, feed }: { simulation: Simulation; runner: Runner; feed: Feed },
): void {
    const post = <Body>(path: string, body: object, work: (body: Body, id: number) => void | Promise<void>) => {
        const params = path.includes(":id") ? { params: Numbered } : {}
        app.post<{ Body: Body; Params: Partial<Numbered> }>(path, { schema: { body, ...params } }, async request => {
            await work(request.body as Body, Number(request.params.id))
            return {}
        })
    }
    const moteOf = (id: number) => {
        const mote = simulation.motes.get(id)
        if (!mote) throw new HttpError(404, `no mote ${id}`)
        return mote
    }

    app.get<{ Params: Numbered }>("/api/nodes/:id", { schema: { params: Numbered } }, async request => {
        const id = Number(request.params.id)
        const detail = await runner.between(() => detailOf(simulation, feed.packets, id))
        if (!detail) throw new HttpError(404, `no node ${id}`)
        return detail
    })
    app.get<{ Params: Static<typeof PacketNumber> }>(
        "/api/packets/:n",
        { schema: { params: PacketNumber } },
        async request => {
            const detail = feed.packets.detail(Number(request.params.n))
            if (!detail) throw new HttpError(404, "this frame is no longer stored")
            return detail
        },
    )
    const router = () => routerView(simulation.root, simulation.clock.now())
    app.get("/api/border", async () => router())
    app.get("/border", async (_request, reply) => reply.type("text/html; charset=utf-8").send(routerPage(router())))

    post("/api/pause", Nothing, () => runner.pause())
    post("/api/resume", Nothing, () => runner.resume())
    post<Static<typeof Speed>>("/api/speed", Speed, ({ limit }) => {
        runner.speed = limit ?? undefined
    })
    post<Static<typeof Step>>("/api/step", Step, ({ to }) => {
        if (to === "event") return runner.stepEvent()
        if (to === "second") return runner.stepSeconds(1)
        const before = feed.packets.sentCount
        return runner.stepUntil(() => feed.packets.sentCount > before)
    })
    post("/api/repair", Nothing, () => runner.between(() => simulation.root.rpl.repair()))
    post<Static<typeof MediumSchema>>("/api/medium", MediumSchema, choice =>
        runner.between(() => feed.changeMedium(mediumOf(choice, simulation.seed), choice)),
    )
    post("/api/motes/:id/kill", Nothing, (_, id) => {
        moteOf(id)
        return runner.between(() => simulation.powerOff(id))
    })
    post("/api/motes/:id/start", Nothing, (_, id) => {
        moteOf(id)
        return runner.between(() => simulation.powerOn(id))
    })
    post("/api/motes/:id/reboot", Nothing, (_, id) => {
        moteOf(id)
        return runner.between(() => {
            simulation.powerOff(id)
            simulation.powerOn(id)
        })
    })
    post("/api/motes/:id/crash", Nothing, (_, id) => {
        moteOf(id)
        return runner.between(() => simulation.crash(id))
    })
    post<Static<typeof Place>>("/api/motes/:id/move", Place, ({ x, y }, id) => {
        moteOf(id)
        return runner.between(() => simulation.move(id, { x, y }))
    })

    let isAsking = false
    /** Replies are printed on all pages as they arrive. */
    const ask = (id: number, question: (o: Question) => Promise<unknown>) => {
        const target = simulation.node(id)?.ipv6.addresses[0]
        if (!target) throw new HttpError(409, `node ${id} has not joined`)
        if (isAsking) throw new HttpError(409, "another query is still running")
        isAsking = true
        const { clock, host } = simulation
        const print = (line: string) => feed.print(line)
        question({ events: clock, host, target, print, wait })
            .catch((error: Error) => print(error.message))
            .finally(() => (isAsking = false))
    }
    const wait = (ms: number, until = () => false) => {
        const { clock } = simulation
        const end = clock.now() + ms
        return new Promise<void>(resolve => {
            const look = () => {
                const leftMs = end - clock.now()
                if (leftMs <= 0 || until()) resolve()
                else clock.setTimeout(look, Math.min(leftMs, lookMs))
            }
            look()
        })
    }
    post<Static<typeof Count>>("/api/motes/:id/ping", Count, ({ count }, id) =>
        ask(id, question => ping({ ...question, count })),
    )
    post("/api/motes/:id/traceroute", Nothing, (_, id) => ask(id, traceroute))
}

type Question = Parameters<typeof traceroute>[0]
