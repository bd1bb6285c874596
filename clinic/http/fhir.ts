import type { FastifyInstance, FastifyRequest } from "fastify"
import Negotiator from "negotiator"
import { eui } from "../../wire/keys.ts"
import { isBedsideName } from "../../wire/tables/bedside.ts"
import { isVitalName } from "../../wire/tables/quantities.ts"
import type { Clinic } from "../clinic.ts"
import { fromBedside } from "../fhir/bedside.ts"
import { capabilityStatement } from "../fhir/capability.ts"
import { dateFilter } from "../fhir/date.ts"
import { toDevice } from "../fhir/device.ts"
import { toObservation } from "../fhir/observation.ts"
import { toPatient } from "../fhir/patient.ts"
import { cursorOf, parseListQuery, parseObservationQuery } from "../fhir/search.ts"
import { may, patientsFor } from "../people/permissions.ts"
import type { BedsideObservation } from "../readings/bedside.ts"
import type { Observation as VitalObservation } from "../readings/observations.ts"
import { knownTo, seesMote, motesSeenBy } from "./admission.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"
import { ProblemError } from "../errors.ts"
import { deviceUseRoutes } from "./device-uses.ts"
import { auditEventRoutes } from "./audit-events.ts"
import { bundle, fhirTags, numbers, queryOf, readOf, searchOf, send, unknown, type ById } from "./fhir-answers.ts"
import { fhirAnswer } from "./openapi.ts"
import {
    CapabilityStatement,
    Device,
    DeviceQuery,
    fhirType,
    Observation,
    ObservationQuery,
    Patient,
    PatientQuery,
} from "./schemas/fhir.ts"
import type { Turns } from "./turns.ts"
import type { App } from "./typed-app.ts"

/** A search without `patient` looks at each patient in turn; beyond this many it would hold up the others. */
const maxPatientsSearched = 1000

/** Where a search says nothing about the time. */
const always = { from: -Infinity, before: Infinity }

const metadata = {
    ...{ tags: fhirTags, summary: "What this server can do", security: [] },
    response: { 200: fhirAnswer("CapabilityStatement", CapabilityStatement) },
}

/** FHIR R4 for reading (http://hl7.org/fhir/R4/http.html), in JSON. `origin` is where clients see it, if not at `Host`. */
export async function fhirRoutes(app: App, clinic: Clinic, turns: Turns, origin?: string): Promise<void> {
    const startedAt = new Date(clinic.now()).toISOString()
    const routes = async (fhir: FastifyInstance) => {
        fhir.decorateRequest("fhirBase", "")
        fhir.addHook("onRequest", async (request, reply) => {
            reply.type(`${mediaTypeFor(request)}; charset=utf-8`)
            request.fhirBase = `${origin ?? `https://${request.host}`}/fhir`
        })
        // What is asked for is checked by clinic/fhir/search.ts, which knows FHIR's rules.
        fhir.setValidatorCompiler(() => () => true)
        fhir.get("/metadata", { schema: metadata, config: { access: "public" } }, async (request, reply) =>
            send(reply, capabilityStatement(request.fhirBase, startedAt)),
        )
        observationRoutes(fhir, clinic, turns)
        patientRoutes(fhir, clinic)
        deviceRoutes(fhir, clinic)
        deviceUseRoutes(fhir, clinic)
        auditEventRoutes(fhir, clinic)
    }
    await app.register(routes, { prefix: "/fhir" })
}

function observationRoutes(fhir: FastifyInstance, clinic: Clinic, turns: Turns): void {
    fhir.get("/Observation", searchOf("read", "vital-signs", ObservationQuery, Observation), async (request, reply) => {
        const query = queryOf(request)
        const { count, after, patients: asked, dates, names, newestFirst } = parseObservationQuery(query)
        const when = dateFilter(dates, clinic.now())
        const search = { names: names.filter(isVitalName), newestFirst, when }
        const entered = { names: names.filter(isBedsideName), ranges: when?.moments ?? [always] }
        const patients = await patientsToSearch(request, asked, clinic)
        if (count === 0) {
            const total = await turns.take(
                request,
                async () =>
                    (await clinic.observations.count({ ...search, patients })) +
                    (await clinic.bedside.count(patients, entered.names, entered.ranges)),
            )
            about(request, ...patients)
            return send(reply, bundle(request, query, { found: [], total }))
        }
        const which = { patients, newestFirst, limit: count + 1, ...(after && { after }) }
        const found = await turns.take(request, async () => [
            ...(await clinic.observations.search({ ...search, ...which })),
            ...(await clinic.bedside.search({ ...entered, ...which })),
        ])
        const sign = newestFirst ? -1 : 1
        found.sort((a, b) => sign * (a.time - b.time || a.id - b.id))
        const page = found.slice(0, count)
        const next = found.length > count ? cursorOf(page.at(-1)!) : undefined
        // Whoever asks for a patient of whom there is nothing has learnt that.
        about(request, ...(asked ? patients : page.map(({ patient }) => patient)))
        return send(reply, bundle(request, query, { found: page.map(observationOf), next }))
    })

    fhir.get<ById>("/Observation/:id", readOf("read", "vital-signs", Observation), async (request, reply) => {
        const [id] = numbers([request.params.id])
        const observation =
            id === undefined ? undefined : ((await clinic.observations.get(id)) ?? (await clinic.bedside.get(id)))
        about(request, observation?.patient)
        if (!observation || !may(userFrom(request), "read", observation.patient)) throw unknown()
        return send(reply, observationOf(observation))
    })
}

function observationOf(found: VitalObservation | BedsideObservation) {
    return "by" in found ? fromBedside(found) : toObservation(found)
}

function patientRoutes(fhir: FastifyInstance, clinic: Clinic): void {
    fhir.get("/Patient", searchOf("read", "patient", PatientQuery, Patient), async (request, reply) => {
        const query = queryOf(request)
        const { ids, after, count } = parseListQuery(query, ["_id"])
        const user = userFrom(request)
        const asked = ids && knownTo(request, numbers(ids))
        const found = await clinic.patients.page(after, count + 1, asked ?? patientsFor(user, "read"))
        const page = found.slice(0, count)
        const next = found.length > count ? String(page.at(-1)!.id) : undefined
        about(request, ...page.map(({ id }) => id))
        return send(reply, bundle(request, query, { found: page.map(toPatient), next }))
    })

    fhir.get<ById>("/Patient/:id", readOf("read", "patient", Patient), async (request, reply) => {
        const [id] = knownTo(request, numbers([request.params.id]))
        const patient = id === undefined ? undefined : await clinic.patients.get(id)
        about(request, patient?.id)
        if (!patient) throw unknown()
        return send(reply, toPatient(patient))
    })
}

function deviceRoutes(fhir: FastifyInstance, clinic: Clinic): void {
    fhir.get("/Device", searchOf("read", "motes", DeviceQuery, Device), async (request, reply) => {
        const query = queryOf(request)
        const { ids, patients: asked, after, count } = parseListQuery(query, ["_id", "patient"])
        const user = userFrom(request)
        const seen = asked ? { patients: knownTo(request, asked), nobodys: false } : motesSeenBy(user)
        const found = (await clinic.motes.all(seen)).filter(
            mote => mote.id > after && (ids?.includes(eui(mote.kid)) ?? true),
        )
        const page = found.slice(0, count)
        const next = found.length > count ? String(page.at(-1)!.id) : undefined
        about(request, ...page.map(({ patient }) => patient))
        return send(reply, bundle(request, query, { found: page.map(toDevice), next }))
    })

    fhir.get<ById>("/Device/:id", readOf("read", "motes", Device), async (request, reply) => {
        const { id } = request.params
        const isEui = /^[0-9a-f]{16}$/.test(id)
        const mote = isEui ? await clinic.motes.get(Buffer.from(id, "hex")) : undefined
        about(request, mote?.patient)
        if (!mote || !seesMote(userFrom(request), mote)) throw unknown()
        return send(reply, toDevice(mote))
    })
}

/** The patients to look at: those asked for, or all that the user may see. Throws ProblemError. */
async function patientsToSearch(
    request: FastifyRequest,
    asked: number[] | undefined,
    clinic: Clinic,
): Promise<number[]> {
    if (asked) return knownTo(request, asked)
    const own = patientsFor(userFrom(request), "read")
    if (own !== "all") return own
    const all = await clinic.patients.page(0, maxPatientsSearched + 1)
    if (all.length > maxPatientsSearched) throw new ProblemError("too-many-patients")
    return all.map(patient => patient.id)
}

/** What clients may ask for; of several that they take the first. */
const mediaTypes = [fhirType, `${fhirType}; fhirVersion=4.0`, "application/json", "text/json"]

/**
 * The media type to answer with (RFC 9110 §12.5.1, http://hl7.org/fhir/R4/http.html#general). Browsers, who take anything, get
 * FHIR's own. Throws ProblemError where the client takes none of ours.
 */
function mediaTypeFor(request: FastifyRequest): string {
    // An unescaped + in a query means a blank, but clients write application/fhir+json there.
    const format = queryOf(request).get("_format")?.replaceAll(" ", "+")
    const asked = format === "json" ? fhirType : (format ?? request.headers.accept ?? "*/*")
    const accept = asked.replace(/;\s*charset="?utf-8"?/gi, "")
    const type = new Negotiator({ headers: { accept } }).mediaType(mediaTypes)
    if (type === undefined) throw new ProblemError("not-acceptable")
    return type
}
