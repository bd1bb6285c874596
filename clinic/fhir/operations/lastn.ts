import { ProblemError } from "../../errors.ts"
import { patientsFor } from "../../people/permissions.ts"
import { numbers, type Asking, type Item } from "../kind.ts"
import { lastOf, narrowed, observationKind, patientsToSearch } from "../resources/observation.ts"
import { fault } from "../search/fault.ts"
import type { Query } from "../search/query.ts"
import { resolved, namedIn, type Kinds } from "../search/search.ts"

/** Of one patient and code. */
const maxOfEach = 100
/** In one answer. */
const maxFound = 10_000

/** How many of each are asked for (`max`), which is taken out of the query. Throws ProblemError. */
export function takeMax(query: URLSearchParams): number {
    const text = query.get("max") ?? "1"
    if (query.getAll("max").length > 1) throw fault("max", "repeated")
    query.delete("max")
    if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > maxOfEach) throw fault("max", "malformed")
    return Number(text)
}

/**
 * The last Observations of each code of each patient, by when they were measured
 * (http://hl7.org/fhir/R4/observation-operation-lastn.html). Throws ProblemError.
 */
export async function lastn(
    query: Query,
    max: number,
    asking: Asking,
    kinds: Kinds,
): Promise<{ items: Item[]; named: readonly number[] | undefined }> {
    const { access } = observationKind
    const criteria = await resolved(observationKind, query.criteria, asking, kinds)
    const other = criteria.find(({ name, modifier }) => modifier === "missing" || !narrowing.includes(name))
    if (other) throw fault(other.name, "unknown")
    const ids = namedIn(criteria)
    const named = ids && asking.known(access, numbers(ids))
    const patients = await patientsToSearch(named ?? patientsFor(asking.user, access), asking.clinic)
    const { when, measured, entered } = narrowed(criteria, asking.now)
    if (patients.length * (measured.length + entered.length) * max > maxFound) throw new ProblemError("too-costly")
    return { items: await lastOf({ patients, measured, entered, when, max }, asking.clinic), named }
}

const narrowing = ["patient", "subject", "code", "category", "date"]
