import type { FastifyRequest } from "fastify"
import type { Problem } from "../../wire/tables/problems.ts"
import { ProblemError } from "../errors.ts"
import type { Mote } from "../motes/motes.ts"
import type { User } from "../people/accounts.ts"
import { may, mayOnWard, patientsFor, scopeOf, type Action } from "../people/permissions.ts"
import type { Seen } from "../store/seen.ts"
import { about } from "./audited.ts"
import { userFrom } from "./auth.ts"

/**
 * Lets the user do what the route is for with the data of this patient, and says so in the audit record; or throws ProblemError.
 * @param patient null: nobody's, such as an alarm of a router
 * @param o.what that is not found where the user does not see the patient
 * @param o.action if it is another one than that of the route
 */
export function admit(
    request: FastifyRequest,
    patient: number | null,
    o: { what?: Problem["what"]; action?: Action } = {},
): void {
    const { what = "patient", action = request.routeOptions.config.access as Action } = o
    const user = userFrom(request)
    about(request, patient)
    if (maySee(user, action, patient)) return
    const scope = scopeOf(user, action)
    if (scope === undefined) throw new ProblemError("forbidden")
    // Whether there is such a patient is not said; of anything else, not even whether there is such a one.
    if (scope === "own" && o.what === undefined) throw new ProblemError("other-patient")
    throw new ProblemError("not-found", { what })
}

/** Lets the user do what the route is for with what that ward has, or with whoever comes there; or throws ProblemError. */
export function admitWard(request: FastifyRequest, ward: string | null): void {
    const action = request.routeOptions.config.access as Action
    if (!mayOnWard(userFrom(request), action, ward)) throw new ProblemError("other-ward")
}

/**
 * Those of the patients whom a search names that there are for the user: it finds nothing of another ward's, as of somebody who does not
 * exist. A patient who asks for another one is told so, whether there is that other one or not: throws ProblemError.
 */
export function knownTo(
    request: FastifyRequest,
    patients: readonly number[],
    action = request.routeOptions.config.access as Action,
): number[] {
    const user = userFrom(request)
    const known = patients.filter(patient => may(user, action, patient))
    if (known.length === patients.length || scopeOf(user, action) !== "own") return known
    about(request, ...patients.filter(patient => !known.includes(patient)))
    throw new ProblemError("other-patient")
}

/** Whose data the user may do this with, for a query; of what is nobody's, as `maySee` says. */
export function seenBy(user: User, action: Action): Seen {
    const patients = patientsFor(user, action)
    return patients === "all" ? "all" : { patients, nobodys: maySee(user, action, null) }
}

/** Whether the user may do this with the data of that patient, or with what is about none. */
export function maySee(user: User, action: Action, patient: number | null): boolean {
    if (patient !== null) return may(user, action, patient)
    const scope = scopeOf(user, action)
    return scope !== undefined && scope !== "own"
}

/** A mote that nobody wears is seen by those who may put it on somebody. */
export function motesSeenBy(user: User): Seen {
    const patients = patientsFor(user, "read")
    return patients === "all" ? "all" : { patients, nobodys: maySee(user, "manage-motes", null) }
}

export function seesMote(user: User, { patient }: Mote): boolean {
    return patient === null ? maySee(user, "manage-motes", null) || may(user, "read", null) : may(user, "read", patient)
}
