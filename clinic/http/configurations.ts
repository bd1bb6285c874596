import type { FastifyRequest } from "fastify"
import { configFields, defaultConfig, routerField } from "../../wire/tables/settings.ts"
import { eui } from "../../wire/keys.ts"
import type { Clinic } from "../clinic.ts"
import type { Mote } from "../motes/motes.ts"
import { patientsFor } from "../people/permissions.ts"
import { admit, seesMote } from "./admission.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { ByKid, List } from "./schemas/common.ts"
import { Command, Configuration, MoteConfiguration, NewCommand, NewConfiguration } from "./schemas/configurations.ts"
import type { App } from "./typed-app.ts"

const tags = ["configuration"]
const read = { access: "read", audit: "settings" } as const
const configure = { access: "configure", audit: "settings" } as const
/** What an answer shows of the past. */
const maxHistory = 200

/** What a mote works by, what it is told, and what it says to that. */
export function configurationRoutes(app: App, clinic: Clinic): void {
    const moteOf = async (request: FastifyRequest, eui: string): Promise<Mote> => {
        const mote = await clinic.motes.get(Buffer.from(eui, "hex"))
        // A patient is told the same of a mote that there is not.
        if (!mote && patientsFor(userFrom(request), "read") !== "all") admit(request, 0, { what: "mote" })
        admit(request, (mote ?? missing()).patient, { what: "mote" })
        if (!seesMote(userFrom(request), mote!)) missing()
        return mote!
    }

    app.get(
        "/api/motes/:kid/config",
        {
            schema: {
                tags,
                summary: "What the mote works by, the newest version, and what can be set",
                params: ByKid,
                response: { 200: MoteConfiguration },
            },
            config: read,
        },
        async request => {
            const mote = await moteOf(request, request.params.kid)
            const inForce = await clinic.configurations.inForce(mote)
            const newest = await clinic.configurations.newest(mote)
            const isOnItsWay = newest?.state === "pending"
            return {
                ...{ kid: eui(mote.kid), patient: mote.patient },
                inForce,
                newest: newest ?? null,
                settings: (isOnItsWay ? newest.settings : inForce.settings) ?? defaultConfig,
                commands: await clinic.configurations.commands(mote),
                fields: configFields,
                router: routerField,
            }
        },
    )

    app.get(
        "/api/motes/:kid/config/history",
        {
            schema: {
                tags,
                summary: "All versions, the newest first",
                params: ByKid,
                response: { 200: List(Configuration) },
            },
            config: read,
        },
        async request => clinic.configurations.history(await moteOf(request, request.params.kid), maxHistory),
    )

    app.put(
        "/api/motes/:kid/config",
        {
            schema: {
                tags,
                summary: "A new configuration; what is not in it is as by default",
                params: ByKid,
                body: NewConfiguration,
                response: { 202: Configuration },
            },
            config: configure,
        },
        async (request, reply) => {
            const { kid } = await moteOf(request, request.params.kid)
            const { settings, base } = request.body
            const author = userFrom(request).name
            const made = await clinic.configure(kid, { settings, author, base })
            return await reply.code(202).send(made ?? missing())
        },
    )

    app.post(
        "/api/motes/:kid/commands",
        {
            schema: {
                tags,
                summary: "Tell the mote to blink, or to drop the readings that wait in it",
                params: ByKid,
                body: NewCommand,
                response: { 202: Command },
            },
            config: configure,
        },
        async (request, reply) => {
            const { kid } = await moteOf(request, request.params.kid)
            const author = userFrom(request).name
            const { command } = request.body
            const made = await clinic.command(kid, { command, author })
            return await reply.code(202).send(made ?? missing())
        },
    )
}

function missing(): never {
    throw new ProblemError("not-found", { what: "mote" })
}
