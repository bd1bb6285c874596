import { commonParameters, type Asking, type Item, type Kind } from "../kind.ts"
import type { Criterion } from "../search/criterion.ts"
import { parseDate } from "../search/date.ts"
import { fault } from "../search/fault.ts"
import { parametersOf, parseQuery, type Query } from "../search/query.ts"
import { search, type Kinds } from "../search/search.ts"

/** What one may say about it. */
export interface Wanted {
    /** The kinds, in their order. */
    types: readonly Kind[]
    /** Times of what was measured, and when it was stored. */
    criteria: (kind: Kind) => Criterion[]
    count: number
    /** Which kind the page begins with, and where in it. */
    cursor: { type: string; within: string | undefined } | undefined
}

/** `start`, `end`, `_since`, `_type`, `_count` and `_cursor`. Throws ProblemError. */
export function parseEverything(query: URLSearchParams, patientKind: Kind, kinds: Kinds, base: string): Wanted {
    const general = new URLSearchParams()
    const own = new Map<string, string>()
    for (const [name, value] of query) {
        if (["start", "end", "_since", "_type", "_cursor"].includes(name)) {
            if (own.has(name)) throw fault(name, "repeated")
            own.set(name, value)
        } else if (["_count", "_format", "_pretty"].includes(name)) general.append(name, value)
        else throw fault(name, "unknown")
    }
    const { count } = parseQuery(patientKind, general, { kinds, base })
    if (count === 0) throw fault("_count", "malformed")
    const asked = own.get("_type")?.split(",")
    const all = [...kinds.values()].filter(kind => kind.access === "read" && patientParameter(kind) !== undefined)
    if (asked?.some(type => !all.some(kind => kind.type === type))) throw fault("_type", "malformed")
    const cursor = own.get("_cursor")
    const [, type, within] = /^([A-Za-z]+)~(.*)$/s.exec(cursor ?? "") ?? []
    if (cursor !== undefined && !all.some(kind => kind.type === type)) throw fault("_cursor", "malformed")
    const dates: [string, "ge" | "le", string][] = [
        ["date", "ge", "start"],
        ["date", "le", "end"],
        ["_lastUpdated", "ge", "_since"],
    ]
    const limits = dates.flatMap(([name, prefix, asked]) => {
        const text = own.get(asked)
        return text === undefined ? [] : [{ name, value: { ...parseDate(text, asked), prefix } }]
    })
    return {
        types: all.filter(({ type }) => asked?.includes(type) ?? true),
        criteria: kind =>
            limits.flatMap(({ name, value }): Criterion[] => {
                const parameter = name === "date" ? kind.parameters.date : commonParameters[name]
                return parameter ? [{ name, parameter, type: "date", values: [value] }] : []
            }),
        count,
        cursor: type === undefined ? undefined : { type, within: within === "" ? undefined : within },
    }
}

/** One page of all that there is of a patient (http://hl7.org/fhir/R4/patient-operation-everything.html), one kind after the other. */
export async function everything(
    patient: string,
    { types, criteria, count, cursor }: Wanted,
    asking: Asking,
    kinds: Kinds,
): Promise<{ items: Item[]; next: string | undefined }> {
    const items: Item[] = []
    const first = cursor ? types.findIndex(({ type }) => type === cursor.type) : 0
    for (const [i, kind] of types.entries()) {
        if (i < first) continue
        if (items.length === count) return { items, next: `${kind.type}~` }
        const [name, parameter] = patientParameter(kind)!
        const values = parameter.type === "token" ? [{ code: patient }] : [{ type: "Patient", id: patient }]
        const of = { name, parameter, type: parameter.type, values } as Criterion
        const query: Query = {
            ...{
                criteria: [of, ...criteria(kind)],
                count: count - items.length,
                sort: [],
                includes: [],
                revincludes: [],
            },
            ...{ cursor: i === first ? cursor?.within : undefined, subset: undefined, total: "none" as const },
            ...{ ignored: [], understood: new URLSearchParams() },
        }
        const found = await search(kind, query, asking, kinds)
        items.push(...found.matches)
        if (found.next !== undefined) return { items, next: `${kind.type}~${found.next}` }
    }
    return { items, next: undefined }
}

/** By which a kind says whose it is; what is about several patients is nobody's own. */
function patientParameter(kind: Kind) {
    return parametersOf(kind).find(([name, { isPatient }]) => isPatient && ["_id", "patient"].includes(name))
}
