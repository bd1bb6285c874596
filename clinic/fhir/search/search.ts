import { ProblemError } from "../../errors.ts"
import { may, patientsFor } from "../../people/permissions.ts"
import { commonParameters, numbers, parameterOf, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import type { Criterion, Reference } from "./criterion.ts"
import { include } from "./include.ts"
import { elementsOf, matches } from "./match.ts"
import { idsIn } from "./narrow.ts"
import { parseOne, type Chain, type Query } from "./query.ts"
import { sorted } from "./sorted.ts"

/** So many resources are compared with what no index knows for one page; then the page ends, with a link to the next. */
const maxLooked = 5000
const pieceSize = 500
/** So many are counted one by one, or sorted in memory. */
const maxCounted = 50_000
/** What another resource is found by, in a chain. */
const maxChained = 1000

export interface Found {
    matches: readonly Item[]
    included: readonly Item[]
    /** There was more to include than one answer holds. */
    isCut: boolean
    next?: string | undefined
    total?: number | undefined
    /** The patients whom the search names and the user sees. */
    named: readonly number[] | undefined
}

/** What there is, with the kinds of resources. */
export type Kinds = ReadonlyMap<string, Kind>

/** One page of a search. Throws ProblemError. */
export async function search(kind: Kind, query: Query, asking: Asking, kinds: Kinds): Promise<Found> {
    const criteria = await resolved(kind, query.criteria, asking, kinds)
    const named = namedIn(criteria)
    const known = named && asking.known(kind.access, numbers(named))
    const patients = known ?? patientsFor(asking.user, kind.access)
    const total = await totalOf(kind, { criteria, patients }, query, asking)
    if (query.count === 0) return { matches: [], included: [], isCut: false, total, named: known }
    const { items, next } = await page(kind, { criteria, patients }, query, asking)
    const { included, isCut } = await include(items, query, asking, kinds, find)
    return { matches: items, included, isCut, next, total, named: known }
}

/** The criteria with what chains lead to. */
export async function resolved(
    kind: Kind,
    criteria: readonly (Criterion | Chain)[],
    asking: Asking,
    kinds: Kinds,
): Promise<Criterion[]> {
    const all: Criterion[] = []
    for (const criterion of criteria)
        all.push("chain" in criterion ? await follow(kind, criterion, asking, kinds) : criterion)
    return all
}

async function follow(kind: Kind, chain: Chain, asking: Asking, kinds: Kinds): Promise<Criterion> {
    const values: Reference[] = []
    for (const type of chain.kinds) {
        const from = kinds.get(type)!
        if (!may(asking.user, from.access)) throw new ProblemError("forbidden")
        const rest = parseOne(from, chain.rest, chain.value, { kinds, base: asking.base }, chain.depth)
        if (!rest) continue
        const criteria = await resolved(from, [rest], asking, kinds)
        const { items, next } = await find(from, criteria, maxChained, asking)
        if (next !== undefined) throw new ProblemError("too-costly")
        for (const { resource } of items)
            if (chain.chain === "to") values.push({ type, id: resource.id! })
            else
                for (const element of elementsOf(resource, parameterOf(from, chain.reference)!)) {
                    const [ofType, id] = String((element as { reference?: string }).reference ?? "").split("/")
                    if (ofType === kind.type && id !== undefined) values.push({ id })
                }
    }
    if (chain.chain === "to")
        return { name: chain.name, parameter: parameterOf(kind, chain.name)!, type: "reference", values }
    const parameter = commonParameters._id!
    return { name: "_id", parameter, type: "token", values: values.map(({ id }) => ({ code: id! })) }
}

/** For what a search needs of other kinds: those that match criteria, in the order of the kind. */
async function find(kind: Kind, criteria: readonly Criterion[], count: number, asking: Asking) {
    const named = namedIn(criteria)
    const patients = named ? asking.known(kind.access, numbers(named)) : patientsFor(asking.user, kind.access)
    return await page(kind, { criteria, patients }, { count, cursor: undefined, sort: [] }, asking)
}

/** The patients whom criteria name; undefined where they name nobody. */
export function namedIn(criteria: readonly Criterion[]): string[] | undefined {
    const naming = criteria.filter(({ parameter }) => parameter.isPatient)
    return idsIn(naming, ...new Set(naming.map(({ name }) => name)))
}

/** The index has seen to all of it: what it finds matches. */
function isIndexed(kind: Kind, criteria: readonly Criterion[]): boolean {
    return criteria.every(({ name, modifier }) => modifier === undefined && kind.indexed.includes(name))
}

async function page(
    kind: Kind,
    of: Pick<Scan, "criteria" | "patients">,
    query: Pick<Query, "count" | "cursor" | "sort">,
    asking: Asking,
): Promise<{ items: Item[]; next: string | undefined }> {
    const order = orderOf(kind, of.criteria, query)
    if (order === undefined) return sorted(kind, await all(kind, of, asking), query)
    const { count } = query
    const items: Item[] = []
    let after = query.cursor
    const isExact = isIndexed(kind, of.criteria)
    for (let looked = 0; ;) {
        const limit = isExact ? count + 1 - items.length : pieceSize
        const scanned = await kind.scan({ ...of, order, after, limit }, asking)
        for (const item of scanned.items)
            if (of.criteria.every(criterion => matches(item.resource, criterion, asking.now))) items.push(item)
        if (items.length > count) {
            const some = items.slice(0, count)
            return { items: some, next: some.at(-1)!.position }
        }
        after = scanned.rest
        // A look at nothing costs something, too.
        looked += scanned.items.length + pieceSize / 10
        if (after === undefined || looked >= maxLooked) return { items, next: after }
    }
}

/** That of a scan; undefined: it has to be sorted. */
function orderOf(kind: Kind, criteria: readonly Criterion[], { sort }: Pick<Query, "sort">): string | undefined {
    if (sort.length === 0) return kind.orderFor?.(criteria) ?? kind.orders[0]
    const asked = sort.map(({ name, isDescending }) => (isDescending ? "-" : "") + name).join()
    return kind.orders.find(order => order === asked)
}

/** All that match. Throws ProblemError where one would look at too many. */
async function all(kind: Kind, of: Pick<Scan, "criteria" | "patients">, asking: Asking): Promise<Item[]> {
    const found: Item[] = []
    const order = kind.orderFor?.(of.criteria) ?? kind.orders[0]
    let after: string | undefined
    for (let looked = 0; ;) {
        const scanned = await kind.scan({ ...of, order, after, limit: pieceSize }, asking)
        for (const item of scanned.items)
            if (of.criteria.every(criterion => matches(item.resource, criterion, asking.now))) found.push(item)
        looked += scanned.items.length + pieceSize / 10
        if ((after = scanned.rest) === undefined) return found
        if (looked >= maxCounted) throw new ProblemError("too-costly")
    }
}

async function totalOf(
    kind: Kind,
    of: Pick<Scan, "criteria" | "patients">,
    { count, total }: Query,
    asking: Asking,
): Promise<number | undefined> {
    if (count > 0 && total === "none") return undefined
    if (kind.count && isIndexed(kind, of.criteria)) return await kind.count(of, asking)
    try {
        return (await all(kind, of, asking)).length
    } catch (error) {
        const isTooMuch = error instanceof ProblemError && error.problem.code === "too-costly"
        // An estimate may be left out; what was asked for may not be wrong.
        if (isTooMuch && total === "estimate" && count > 0) return undefined
        throw error
    }
}
