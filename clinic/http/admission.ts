import type { FastifyRequest } from "fastify"
import type { Problem } from "../../wire/tables/problems.ts"
import { ProblemError } from "../errors.ts"
import type { User } from "../people/accounts.ts"
import { may, scopeOf, type Action } from "../people/permissions.ts"
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
    if (scope === "own") throw new ProblemError("other-patient")
    throw new ProblemError("not-found", { what })
}

/** Whether the user may do this with the data of that patient, or with what is about none. */
export function maySee(user: User, action: Action, patient: number | null): boolean {
    if (patient !== null) return may(user, action, patient)
    const scope = scopeOf(user, action)
    return scope !== undefined && scope !== "own"
}
