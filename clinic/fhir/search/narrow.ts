import type { TimeFilter } from "../../readings/time-filter.ts"
import { matchesTokens } from "./match.ts"
import type { Criterion, Token } from "./criterion.ts"
import { dateFilter, type DateCriterion } from "./date.ts"

/*
 * What criteria leave of a set, for scans. A criterion with a modifier narrows nothing: it is compared with each resource.
 */

/** The ids that references or `_id` name, each once; undefined where nothing names any. */
export function idsIn(criteria: readonly Criterion[], ...names: readonly string[]): string[] | undefined {
    const lists: string[][] = []
    for (const criterion of criteria) {
        if (!names.includes(criterion.name) || criterion.modifier !== undefined) continue
        if (criterion.type === "reference") lists.push(criterion.values.flatMap(({ id }) => id ?? []))
        // An id has no system.
        if (criterion.type === "token")
            lists.push(criterion.values.flatMap(({ code, system }) => (system ? [] : (code ?? []))))
    }
    if (lists.length === 0) return undefined
    return [...new Set(lists[0])].filter(id => lists.every(list => list.includes(id)))
}

/** Those of some things whose codes a parameter lets through. */
export function withCode<T>(
    all: readonly T[],
    criteria: readonly Criterion[],
    name: string,
    codesOf: (thing: T) => readonly Token[],
): T[] {
    const asked = criteria.filter(criterion => criterion.name === name)
    return all.filter(thing =>
        asked.every(criterion => {
            if (criterion.modifier === "missing" || criterion.type !== "token") return true
            return matchesTokens(codesOf(thing), criterion) === (criterion.modifier === undefined)
        }),
    )
}

/** What a parameter lets through of all times; undefined where nothing is said of them. */
export function timesIn(criteria: readonly Criterion[], name: string, now: number): TimeFilter | undefined {
    const dates: (readonly DateCriterion[])[] = []
    for (const criterion of criteria)
        if (criterion.name === name && criterion.modifier === undefined && criterion.type === "date")
            dates.push(criterion.values)
    return dateFilter(dates, now)
}

/** The texts that a parameter names; undefined where it is not there. */
export function textsIn(criteria: readonly Criterion[], name: string): string[] | undefined {
    for (const criterion of criteria)
        if (criterion.name === name && criterion.modifier === undefined && criterion.type === "string")
            return [...criterion.values]
    return undefined
}
