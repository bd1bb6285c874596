import { commonParameters, parameterOf, type Kind, type KindName } from "../kind.ts"
import { modifiers, parseCriterion, type Criterion } from "./criterion.ts"
import { fault } from "./fault.ts"

const defaultCount = 100
const maxCount = 1000
/** Beyond these a query is nobody's. */
const maxParameters = 50
const maxSorts = 3
const maxIncludes = 10
const maxChain = 3

/** What every search understands; the criteria stand beside it. */
const general = ["_count", "_cursor", "_format", "_pretty", "_sort", "_include", "_revinclude", "_summary"] as const
const reserved: readonly string[] = [...general, "_elements", "_total"]
const summaries = ["true", "false", "text", "data", "count"] as const
const totals = ["none", "estimate", "accurate"] as const

/** A criterion of what a reference points at, or (`has`) of what points at a resource. */
export interface Chain {
    chain: "to" | "has"
    name: string
    /** What it points at, or what points here, and by which parameter of that. */
    kinds: readonly KindName[]
    reference: string
    /** One more parameter, of those kinds. */
    rest: string
    value: string
    depth: number
}

export interface Include {
    isIterated: boolean
    /** What points at the other, by which of its parameters (undefined: any), and of which kind that other may be. */
    from: KindName
    parameter: string | undefined
    target: string | undefined
}

export interface Sort {
    name: string
    isDescending: boolean
}

export interface Query {
    /** Each has to hold. */
    criteria: readonly (Criterion | Chain)[]
    /** 0 asks for the number of matches only. */
    count: number
    /** Behind what to go on, as the next link says. */
    cursor: string | undefined
    sort: readonly Sort[]
    includes: readonly Include[]
    revincludes: readonly Include[]
    subset: Subset | undefined
    total: (typeof totals)[number]
    /** The parameters that were left out: nobody here knows them. */
    ignored: readonly string[]
    /** The query as it was understood, without `_cursor`. */
    understood: URLSearchParams
}

/** Which elements of the resources are wanted. */
export type Subset = { elements: readonly string[] } | { summary: "true" | "text" | "data" }

/** What the parser has to know beside the query. */
export interface Reading {
    kinds: ReadonlyMap<string, Kind>
    /** This server's FHIR address. */
    base: string
    /** What nobody here knows is left out, instead of being refused (R4 §3.1.1.3.2). */
    isLenient?: boolean
}

/** The query of a search (http://hl7.org/fhir/R4/search.html). Throws ProblemError for anything that it does not understand. */
export function parseQuery(kind: Kind, query: URLSearchParams, reading: Reading): Query {
    if (query.size > maxParameters) throw fault("_query", "too-many")
    const criteria: (Criterion | Chain)[] = []
    const ignored: string[] = []
    const understood = new URLSearchParams()
    for (const [name, value] of query) {
        if (value === "") throw fault(name, "empty")
        const isReserved = reserved.includes(name) || /^_(rev)?include:iterate$/.test(name)
        const parsed = isReserved ? undefined : parseOne(kind, name, value, reading, 0)
        if (!isReserved && !parsed) {
            if (!reading.isLenient) throw fault(name, "unknown")
            ignored.push(name)
            continue
        }
        if (parsed) criteria.push(parsed)
        if (name !== "_cursor") understood.append(name, value)
    }
    const summary = oneOf(query, "_summary", summaries)
    const counted = single(query, "_count") ?? String(defaultCount)
    if (!/^\d{1,9}$/.test(counted)) throw fault("_count", "malformed")
    return {
        ...{ criteria, ignored, understood },
        count: summary === "count" ? 0 : Math.min(Number(counted), kind.maxCount ?? maxCount),
        cursor: single(query, "_cursor"),
        sort: sorts(kind, query),
        includes: includes(kind, query, "_include", reading),
        revincludes: includes(kind, query, "_revinclude", reading),
        subset: subset(query, summary),
        total: oneOf(query, "_total", totals) ?? "none",
    }
}

/** One parameter of a kind, or of what it is chained to; undefined: it has no such parameter. Throws ProblemError. */
export function parseOne(
    kind: Kind,
    asked: string,
    value: string,
    { kinds, base }: Pick<Reading, "kinds" | "base">,
    depth: number,
): Criterion | Chain | undefined {
    if (asked.startsWith("_has:")) return has(kind, asked, value, kinds, depth)
    const [, name = "", modifier, rest] = /^([A-Za-z_][\w-]*)(?::([\w-]+))?(?:\.(.+))?$/s.exec(asked) ?? []
    const parameter = parameterOf(kind, name)
    if (!parameter) return undefined
    if (rest === undefined) {
        const isKnown = modifiers.some(known => known === modifier) || parameter.type === "reference"
        if (modifier !== undefined && !isKnown) throw fault(asked, "bad-modifier")
        return parseCriterion({ name, asked, modifier, parameter, base }, value)
    }
    const { targets = [] } = parameter
    const into = modifier === undefined ? targets : targets.filter(target => target === modifier)
    if (parameter.type !== "reference" || into.length === 0 || depth >= maxChain) throw fault(asked, "malformed")
    const link = { name, kinds: into, reference: name, rest, value, depth: depth + 1 }
    // What is wrong with the rest is told before anything is searched.
    if (!into.some(target => parseOne(kinds.get(target)!, rest, value, { kinds, base }, depth + 1))) return undefined
    return { chain: "to", ...link }
}

/** `_has:Group:member:_id=…`: what that points at. */
function has(kind: Kind, asked: string, value: string, kinds: Reading["kinds"], depth: number): Chain | undefined {
    const [, type = "", reference = "", rest = ""] = /^_has:(\w+):([\w-]+):(.+)$/s.exec(asked) ?? []
    const from = kinds.get(type)
    if (!from || depth >= maxChain) throw fault(asked, "malformed")
    const parameter = parameterOf(from, reference)
    if (!parameter?.targets?.includes(kind.type)) throw fault(asked, "malformed")
    if (!parseOne(from, rest, value, { kinds, base: "" }, depth + 1)) throw fault(asked, "malformed")
    return { chain: "has", name: asked, kinds: [from.type], reference, rest, value, depth: depth + 1 }
}

/** `name` or `-name`, the first one first. */
function sorts(kind: Kind, query: URLSearchParams): Sort[] {
    const text = single(query, "_sort")
    if (text === undefined) return []
    const parts = text.split(",")
    if (parts.length > maxSorts) throw fault("_sort", "too-many")
    return parts.map(part => {
        const isDescending = part.startsWith("-")
        const name = isDescending ? part.slice(1) : part
        const parameter = parameterOf(kind, name)
        if (!parameter || parameter.type === "quantity") throw fault("_sort", "malformed")
        return { name, isDescending }
    })
}

/** `Type:parameter`, `Type:parameter:Target` or `Type:*`. */
function includes(kind: Kind, query: URLSearchParams, name: "_include" | "_revinclude", o: Reading): Include[] {
    const all = [name, `${name}:iterate`].flatMap(asked =>
        query.getAll(asked).map(value => ({ asked, value, isIterated: asked !== name })),
    )
    if (all.length > maxIncludes) throw fault(name, "too-many")
    return all.flatMap(({ asked, value, isIterated }) => {
        const [, type = "", parameter = "", target] = /^(\w+):([\w-]+|\*)(?::(\w+))?$/.exec(value) ?? []
        const from = o.kinds.get(type)
        const found = from && (parameter === "*" ? undefined : parameterOf(from, parameter))
        const targets = found?.targets ?? []
        const isKnown =
            from !== undefined &&
            (parameter === "*" ? name === "_include" : targets.length > 0) &&
            (name === "_revinclude" ? isIterated || targets.includes(kind.type) : isIterated || type === kind.type) &&
            (target === undefined || parameter === "*" || targets.some(known => known === target))
        if (!isKnown && !o.isLenient) throw fault(asked, "malformed")
        if (!isKnown) return []
        return [{ isIterated, from: from.type, parameter: parameter === "*" ? undefined : parameter, target }]
    })
}

function subset(query: URLSearchParams, summary: (typeof summaries)[number] | undefined): Subset | undefined {
    const elements = single(query, "_elements")
    if (summary === "true" || summary === "text" || summary === "data") {
        if (elements !== undefined) throw fault("_elements", "malformed")
        return { summary }
    }
    if (elements === undefined) return undefined
    const names = elements.split(",").map(name => name.split(".").at(-1)!)
    if (names.length > maxParameters || !names.every(name => /^[A-Za-z]\w{0,63}$/.test(name)))
        throw fault("_elements", "malformed")
    return { elements: names }
}

function oneOf<T extends string>(query: URLSearchParams, name: string, values: readonly T[]): T | undefined {
    const text = single(query, name)
    if (text === undefined) return undefined
    const value = values.find(value => value === text)
    if (value === undefined) throw fault(name, "malformed")
    return value
}

function single(query: URLSearchParams, name: string): string | undefined {
    const values = query.getAll(name)
    if (values.length > 1) throw fault(name, "repeated")
    return values[0]
}

/** Every parameter of a kind that a search takes, in the order of the table. */
export function parametersOf(kind: Kind): [string, Kind["parameters"][string]][] {
    return Object.entries({ ...commonParameters, ...kind.parameters })
}
