import { parameterOf, type Item, type Kind } from "../kind.ts"
import { elementsOf, plainText, rangeOf, textsOf } from "./match.ts"
import { fault } from "./fault.ts"
import type { Query, Sort } from "./query.ts"

/** What something is sorted by: null where it has no value, which comes last; at the end its id, so that no two are alike. */
type Key = readonly (string | number | null)[]

/**
 * A page of resources in an order that no index has. It goes on behind the last one by what that is sorted by, so that nothing
 * that comes or goes shifts it. Throws ProblemError for a cursor that is none of this search.
 */
export function sorted(
    kind: Kind,
    items: readonly Item[],
    { count, cursor, sort }: Pick<Query, "count" | "cursor" | "sort">,
): { items: Item[]; next: string | undefined } {
    const after = cursor === undefined ? undefined : keyIn(cursor, sort.length + 1)
    const inOrder = items
        .map(item => ({ item, key: keyOf(kind, item, sort) }))
        .filter(({ key }) => after === undefined || compare(key, after, sort) > 0)
        .sort((a, b) => compare(a.key, b.key, sort))
    const page = inOrder.slice(0, count)
    const next = inOrder.length > count ? toCursor(page.at(-1)!.key) : undefined
    return { items: page.map(({ item }) => item), next }
}

function keyOf(kind: Kind, { resource }: Item, sort: readonly Sort[]): Key {
    const keys = sort.map(({ name, isDescending }) => {
        const parameter = parameterOf(kind, name)!
        const values = elementsOf(resource, parameter).flatMap((element): (string | number)[] => {
            if (parameter.type === "date") {
                const { from, before } = rangeOf(element)
                const edge = isDescending ? before - 1 : from
                return [Math.max(Math.min(edge, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER)]
            }
            if (typeof element === "object" && parameter.type !== "string") return [codeOf(element)]
            return textsOf(element).map(plainText)
        })
        if (values.length === 0) return null
        return values.reduce((a, b) => (a < b !== isDescending ? a : b))
    })
    return [...keys, resource.id!]
}

function codeOf(element: Readonly<Record<string, unknown>>): string {
    const { coding, code, value, reference } = element as Record<string, string> & { coding?: { code?: string }[] }
    return coding?.[0]?.code ?? code ?? value ?? reference ?? ""
}

function compare(a: Key, b: Key, sort: readonly Sort[]): number {
    for (let i = 0; i < a.length; i++) {
        const [x = null, y = null] = [a[i], b[i]]
        if (x === y) continue
        if (x === null) return 1
        if (y === null) return -1
        return (x < y ? -1 : 1) * (sort[i]?.isDescending ? -1 : 1)
    }
    return 0
}

function toCursor(key: Key): string {
    return Buffer.from(JSON.stringify(key)).toString("base64url")
}

function keyIn(cursor: string, length: number): Key {
    try {
        const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString())
        const isKey = (part: unknown) => part === null || typeof part === "string" || typeof part === "number"
        if (Array.isArray(key) && key.length === length && key.every(isKey)) return key as Key
    } catch {
        // It is none of ours.
    }
    throw fault("_cursor", "malformed")
}
