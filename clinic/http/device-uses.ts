import type { FastifyInstance } from "fastify"
import type { Clinic } from "../clinic.ts"
import { toDeviceUseStatement } from "../fhir/device-use.ts"
import { parseDeviceUseQuery } from "../fhir/search.ts"
import { may, patientsFor } from "../people/permissions.ts"
import { knownTo } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { bundle, numbers, queryOf, readOf, searchOf, send, unknown, type ById } from "./fhir-answers.ts"
import { DeviceUseQuery, DeviceUseStatement } from "./schemas/fhir.ts"

/** Who wore which mote, and when. */
export function deviceUseRoutes(fhir: FastifyInstance, clinic: Clinic): void {
    fhir.get(
        "/DeviceUseStatement",
        searchOf("read", "motes", DeviceUseQuery, DeviceUseStatement),
        async (request, reply) => {
            const query = queryOf(request)
            const { ids, patients: asked, device, after, count } = parseDeviceUseQuery(query)
            const user = userFrom(request)
            const visible = patientsFor(user, "read")
            const known = asked && knownTo(request, asked)
            const patients = known ?? (visible === "all" ? undefined : visible)
            const mote = device === undefined ? undefined : await clinic.motes.get(Buffer.from(device, "hex"))
            const found =
                device !== undefined && !mote
                    ? []
                    : await clinic.associations.search({
                          ...{ after, limit: count + 1 },
                          ...(patients && { patients }),
                          ...(ids && { ids: numbers(ids) }),
                          ...(mote && { mote: mote.id }),
                      })
            const page = found.slice(0, count)
            const next = found.length > count ? String(page.at(-1)!.id) : undefined
            about(request, ...(known ?? page.map(({ patient }) => patient)))
            return send(reply, bundle(request, query, { found: page.map(toDeviceUseStatement), next }))
        },
    )

    fhir.get<ById>("/DeviceUseStatement/:id", readOf("read", "motes", DeviceUseStatement), async (request, reply) => {
        const [found] = await clinic.associations.search({ ids: numbers([request.params.id]), limit: 1 })
        about(request, found?.patient)
        if (!found || !may(userFrom(request), "read", found.patient)) throw unknown()
        return send(reply, toDeviceUseStatement(found))
    })
}
