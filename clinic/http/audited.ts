import { Readable } from "node:stream"
import type { FastifyReply, FastifyRequest } from "fastify"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import { problemDetails, problemMediaType, type Problem, type ProblemCode } from "../../wire/tables/problems.ts"
import type { AuditEvent, AuditOutcome, AuditSubject } from "../audit/event.ts"
import { Looks } from "../audit/looks.ts"
import { shiftAt } from "../alarms/shifts.ts"
import type { Clinic } from "../clinic.ts"
import { toOutcome } from "../fhir/outcome.ts"
import type { User } from "../people/accounts.ts"
import { kindOf } from "../people/permissions.ts"
import { StoreFailure } from "../store/failure.ts"
import { fhirType } from "./schemas/fhir.ts"
import type { App } from "./typed-app.ts"

declare module "fastify" {
    interface FastifyContextConfig {
        /** What the route shows or changes; `none` where that is nobody's data. Every route that is not public says it. */
        audit?: AuditSubject | "none"
        /** Nothing is changed, whatever the method is. */
        isLook?: boolean
    }
    interface FastifyRequest {
        /** Whose data the answer shows, or the request is about. */
        about: number[]
        /** What else the record should say of a change. */
        said: AuditEvent["detail"]
        /** Why it was refused. */
        problem: ProblemCode | undefined
        /** The change that is under way, in the audit record. */
        begun: number | undefined
        /** Further patients who are shown in the same answer, in the record before they are. */
        showing(patients: readonly number[]): Promise<void>
    }
}

const maxRequestChars = 200
/** Of one event; more of them are several events. */
const maxPatients = 50

/**
 * Writes each look at and each change of a patient's data into the audit record, before the answer is sent. A change is noted
 * before it is made, so that none is lost when the clinic is killed.
 */
export function recordAccess(app: App, { clinic, clock }: { clinic: Clinic; clock: Clock }): void {
    const looks = new Looks()
    const { audit } = clinic
    app.decorateRequest("about")
    app.decorateRequest("said", null)
    app.decorateRequest("problem", undefined)
    app.decorateRequest("begun", undefined)
    app.decorateRequest("showing", function (this: FastifyRequest, patients: readonly number[]) {
        return look(this, patients)
    })

    app.addHook("onRoute", ({ url, config }) => {
        if (config?.access !== "public" && config?.audit === undefined)
            throw new Error(`${url} does not say what of it the audit record has`)
    })
    app.addHook("onRequest", async request => {
        request.about = []
    })

    const look = async (request: FastifyRequest, patients: readonly number[]): Promise<void> => {
        const event = eventOf(request, clinic, "done")
        const at = elapsedMs(clock)
        const isDisplay = !kindOf(request.user!.role).sessionEnds
        const shift = await shiftOf(request, clinic)
        const counted = byOpening(request.user!, patients).map(({ opening, patients }) => {
            // The same look counts anew where it is by another right.
            const key = `${request.user!.id} ${event.credential} ${event.subject} ${opening ?? ""}`
            const counting = looks.take({ key, patients, at, shift, isDisplay })
            const detail = withPurpose(event.detail, opening)
            return { key, counting, detail }
        })
        const events = counted.flatMap(({ counting, detail }) =>
            pieces(counting, maxPatients).map(some => ({ ...event, detail, patients: some })),
        )
        // Who comes while another's look is being written does not get the answer before it is.
        if (events.length === 0) return await audit.settled()
        try {
            await audit.record(events)
        } catch (error) {
            if (kindOf(request.user!.role).atBedside) return audit.keep(events)
            for (const { key, counting } of counted) looks.forget(key, counting)
            throw error
        }
    }

    /** An attempt that was refused, or a change. It is in memory at least: what is done is done. */
    const note = async (event: AuditEvent, begun?: number) =>
        await audit.record([event], begun).catch(() => audit.keep([event], begun))

    app.addHook("preHandler", async request => {
        if (!isAudited(request) || isLook(request)) return
        request.begun = await audit.begin(eventOf(request, clinic, "unknown"))
    })

    app.addHook("onSend", async (request, reply, payload) => {
        if (!isAudited(request)) return payload
        const { statusCode } = reply
        const outcome: AuditOutcome = statusCode < 400 ? "done" : statusCode < 500 ? "refused" : "failed"
        if (outcome === "done" && isLook(request)) {
            try {
                await look(request, request.about)
            } catch (error) {
                if (payload instanceof Readable) payload.destroy()
                return unrecorded(request, reply, error)
            }
            return payload
        }
        const event = eventOf(request, clinic, outcome)
        if (outcome === "done" || request.begun !== undefined) await note(event, request.begun)
        else if (outcome === "refused") {
            const key = `${request.user!.id} ${event.credential} ${event.subject} ${request.problem}`
            const at = elapsedMs(clock)
            const { counting, last } = looks.refuse({ key, patients: event.patients, at, shift: "" })
            if (counting) await note(last ? { ...event, detail: { ...event.detail, more: "not listed" } } : event)
        }
        return payload
    })
}

/** Whose data the answer shows, for the audit record. */
export function about(request: FastifyRequest, ...patients: readonly (number | null | undefined)[]): void {
    for (const patient of patients) if (patient) request.about.push(patient)
}

/** Whose data it is; where nobody got as far as that, what the address says. */
function patientsOf({ about, routeOptions, params }: FastifyRequest): number[] {
    const { id = "" } = (params ?? {}) as { id?: string }
    const isNamed = routeOptions.url?.startsWith("/api/patients/:id") && /^[1-9]\d{0,14}$/.test(id)
    return about.length === 0 && isNamed ? [Number(id)] : [...about]
}

function isAudited({ user, routeOptions }: FastifyRequest): boolean {
    const { audit } = routeOptions.config
    return user !== null && audit !== undefined && audit !== "none"
}

function isLook({ method, routeOptions }: FastifyRequest): boolean {
    return method === "GET" || method === "HEAD" || routeOptions.config.isLook === true
}

const actions: Record<string, AuditEvent["action"]> = { POST: "add", PUT: "change", DELETE: "remove" }

function eventOf(request: FastifyRequest, clinic: Clinic, outcome: AuditOutcome): AuditEvent {
    const user = request.user!
    const { problem, said } = request
    const refusal = outcome === "done" || problem === undefined ? null : { problem }
    const patients = patientsOf(request)
    const opening = isLook(request) ? undefined : openingOf(user, patients)
    return {
        ...{
            at: clinic.now(),
            account: user.id,
            user: user.name,
            role: user.role,
            credential: user.credential ?? null,
        },
        ...{ address: request.ip, subject: request.routeOptions.config.audit as AuditSubject },
        ...{ action: isLook(request) ? "look" : (actions[request.method] ?? "look"), outcome, patients },
        request: `${request.method} ${request.url.split("?")[0]!}`.slice(0, maxRequestChars),
        detail: withPurpose(said || refusal ? { ...said, ...refusal } : null, opening),
    }
}

/** The opening because of which the user sees one of these patients; undefined where it takes none. */
function openingOf({ opened = [], onWard = [] }: User, patients: readonly number[]): number | undefined {
    return opened.find(({ patient }) => patients.includes(patient) && !onWard.includes(patient))?.id
}

/** Those patients whom the user sees anyway, and those whom the user has opened, each on its own. */
function byOpening(user: User, patients: readonly number[]): { opening: number | undefined; patients: number[] }[] {
    const groups = new Map<number | undefined, number[]>()
    for (const patient of patients) {
        const opening = openingOf(user, [patient])
        groups.set(opening, [...(groups.get(opening) ?? []), patient])
    }
    return [...groups].map(([opening, patients]) => ({ opening, patients }))
}

/** HL7 v3 ActReason, of the value set PurposeOfUse: BTG is "break the glass". */
function withPurpose(detail: AuditEvent["detail"], opening: number | undefined): AuditEvent["detail"] {
    return opening === undefined ? detail : { purpose: "BTG", opening, ...detail }
}

/** Of a display's ward; the usual ones for everybody else. */
async function shiftOf({ user }: FastifyRequest, clinic: Clinic): Promise<string> {
    const ward = user && kindOf(user.role).wards === "one" && user.wards !== "all" ? user.wards?.[0] : undefined
    const shifts = ward === undefined ? undefined : clinic.wardRules.get(ward)?.settings.shifts
    return shiftAt(clinic.now(), clinic.timeZone, shifts)
}

/** Who is not at a bedside gets no data that nobody could find out about. */
function unrecorded(request: FastifyRequest, reply: FastifyReply, error: unknown): string {
    const isFull = error instanceof StoreFailure && error.kind === "full"
    const problem: Problem = { code: isFull ? "disk-full" : "database-broken" }
    const details = problemDetails(problem)
    reply.code(details.status).removeHeader("content-length").removeHeader("content-disposition")
    if (!request.url.startsWith("/fhir")) {
        void reply.type(problemMediaType)
        return JSON.stringify(details)
    }
    void reply.type(`${fhirType}; charset=utf-8`)
    return JSON.stringify(toOutcome(problem, details))
}

function pieces<T>(all: readonly T[], size: number): T[][] {
    return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
