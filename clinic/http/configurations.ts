import { Type, type Static } from "@sinclair/typebox"
import type { FastifyInstance, FastifyRequest } from "fastify"
import { ConfigError, configFields, defaultConfig, maxVersion, routerField } from "../../wire/config.ts"
import { commandNames, eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { Mote } from "../motes/motes.ts"
import { maySee, userFrom } from "./auth.ts"
import { HttpError } from "./errors.ts"
import { ByKid } from "./schemas.ts"

const tags = ["configuration"]
const doctors = { access: ["doctor"] } as const
const readers = { access: ["doctor", "patient"] } as const
/** What an answer shows of the past. */
const maxHistory = 200

const NewConfig = Type.Object(
    {
        /** What is absent is as by default; wire/config.ts checks names and ranges. */
        settings: Type.Object({}),
        /** The newest version its author has seen, 0 for none: where there is a newer one, the answer is 409. */
        base: Type.Optional(Type.Integer({ minimum: 0, maximum: maxVersion })),
    },
    { additionalProperties: false },
)
const NewCommand = Type.Object(
    { command: Type.Union(commandNames.map(name => Type.Literal(name))) },
    { additionalProperties: false },
)

interface Params {
    Params: Static<typeof ByKid>
}

/** What a mote works by, what it is told, and what it says to that. */
export function configurationRoutes(app: FastifyInstance, clinic: Clinic): void {
    const moteOf = async (request: FastifyRequest<Params>): Promise<Mote> => {
        const mote = await clinic.motes.get(Buffer.from(request.params.kid, "hex"))
        const user = userFrom(request)
        if (!mote && user.role === "doctor") missing()
        if (!mote || !maySee(user, mote.patient)) throw new HttpError(403, "this is another patient's data")
        return mote
    }

    app.get<Params>(
        "/api/motes/:kid/config",
        {
            schema: {
                ...{ tags, params: ByKid },
                summary: "What the mote works by, the newest version, and what can be set",
            },
            config: readers,
        },
        async request => {
            const mote = await moteOf(request)
            const inForce = await clinic.configurations.inForce(mote)
            const newest = await clinic.configurations.newest(mote)
            const isOnItsWay = newest?.state === "pending"
            return {
                ...{ kid: eui(mote.kid), patient: mote.patient },
                inForce,
                newest: newest ?? null,
                // What a change starts from: all that will be in force if nothing is refused.
                settings: (isOnItsWay ? newest.settings : inForce.settings) ?? defaultConfig,
                commands: await clinic.configurations.commands(mote),
                fields: configFields,
                router: routerField,
            }
        },
    )

    app.get<Params>(
        "/api/motes/:kid/config/history",
        {
            schema: { tags, params: ByKid, summary: "All versions, the newest first" },
            config: readers,
        },
        async request => clinic.configurations.history(await moteOf(request), maxHistory),
    )

    app.put<Params & { Body: Static<typeof NewConfig> }>(
        "/api/motes/:kid/config",
        {
            schema: {
                ...{ tags, params: ByKid, body: NewConfig },
                summary: "A new configuration; what is not in it is as by default",
            },
            config: doctors,
        },
        async (request, reply) => {
            const kid = Buffer.from(request.params.kid, "hex")
            const { settings, base } = request.body
            const author = userFrom(request).name
            try {
                const made = await clinic.configure(kid, { settings, author, base })
                return await reply.code(202).send(made ?? missing())
            } catch (error) {
                if (error instanceof ConfigError) throw new HttpError(400, error.message)
                throw error
            }
        },
    )

    app.post<Params & { Body: Static<typeof NewCommand> }>(
        "/api/motes/:kid/commands",
        {
            schema: {
                ...{ tags, params: ByKid, body: NewCommand },
                summary: "Tell the mote to blink, or to drop the readings that wait in it",
            },
            config: doctors,
        },
        async (request, reply) => {
            const kid = Buffer.from(request.params.kid, "hex")
            const author = userFrom(request).name
            const { command } = request.body
            const made = await clinic.command(kid, { command, author })
            return await reply.code(202).send(made ?? missing())
        },
    )
}

function missing(): never {
    throw new HttpError(404, "there is no such mote")
}
