import { ProblemError } from "../../errors.ts"
import { may } from "../../people/permissions.ts"
import { parameterOf, type Asking, type Item, type Kind } from "../kind.ts"
import type { Criterion } from "./criterion.ts"
import { elementsOf } from "./match.ts"
import type { Include, Query } from "./query.ts"
import { parametersOf } from "./query.ts"

/** Of what comes with one page. */
const maxIncluded = 1000
/** For what is iterated. */
const maxRounds = 4

type Find = (
    kind: Kind,
    criteria: readonly Criterion[],
    count: number,
    asking: Asking,
) => Promise<{ items: readonly Item[]; next: string | undefined }>

/**
 * What the matches point at, and what points at them, each once and as far as the user sees it. `isCut`: there was more than
 * one answer holds. Throws ProblemError where the user may not see that kind of resource at all.
 */
export async function include(
    matches: readonly Item[],
    { includes, revincludes }: Pick<Query, "includes" | "revincludes">,
    asking: Asking,
    kinds: ReadonlyMap<string, Kind>,
    find: Find,
): Promise<{ included: Item[]; isCut: boolean }> {
    // Nobody has asked for any of them by name.
    const quiet: Asking = {
        ...asking,
        known: (action, patients) => patients.filter(patient => may(asking.user, action, patient)),
    }
    const kindOf = (type: string) => {
        const kind = kinds.get(type)!
        if (!may(asking.user, kind.access)) throw new ProblemError("forbidden")
        return kind
    }
    const there = new Set(matches.map(keyOf))
    const included: Item[] = []
    let isCut = false
    const add = (items: readonly Item[]) => {
        const added: Item[] = []
        for (const item of items) {
            if (item.isHidden || there.has(keyOf(item))) continue
            if (included.length >= maxIncluded) isCut = true
            else {
                there.add(keyOf(item))
                included.push(item)
                added.push(item)
            }
        }
        return added
    }
    let round = matches
    for (let i = 0; i < maxRounds && round.length > 0 && !isCut; i++) {
        const counts = (one: Include) => i === 0 || one.isIterated
        const added: Item[] = []
        for (const [type, ids] of targetsOf(round, includes.filter(counts), kinds)) {
            const wanted = [...ids].filter(id => !there.has(`${type}/${id}`))
            if (wanted.length > 0) added.push(...add(await kindOf(type).read(wanted, quiet)))
        }
        for (const one of revincludes.filter(counts)) {
            const kind = kindOf(one.from)
            const parameter = parameterOf(kind, one.parameter!)!
            const values = round
                .filter(({ resource }) => parameter.targets!.some(target => target === resource.resourceType))
                .filter(({ resource }) => one.target === undefined || one.target === resource.resourceType)
                .map(({ resource }) => ({ type: resource.resourceType, id: resource.id! }))
            const room = maxIncluded - included.length
            if (values.length === 0 || room === 0) continue
            const criterion: Criterion = { name: one.parameter!, parameter, type: "reference", values }
            const found = await find(kind, [criterion], room, quiet)
            if (found.next !== undefined) isCut = true
            added.push(...add(found.items))
        }
        round = added
    }
    return { included, isCut }
}

/** The ids that these point at, by kind. */
function targetsOf(
    items: readonly Item[],
    includes: readonly Include[],
    kinds: ReadonlyMap<string, Kind>,
): Map<string, Set<string>> {
    const targets = new Map<string, Set<string>>()
    for (const { from, parameter, target } of includes)
        for (const { resource } of items) {
            if (resource.resourceType !== from) continue
            for (const [name, definition] of parametersOf(kinds.get(from)!)) {
                if (definition.type !== "reference" || (parameter !== undefined && name !== parameter)) continue
                for (const element of elementsOf(resource, definition)) {
                    const [type = "", id] = String((element as { reference?: string }).reference ?? "").split("/")
                    if (id === undefined || !kinds.has(type) || (target !== undefined && target !== type)) continue
                    targets.set(type, (targets.get(type) ?? new Set()).add(id))
                }
            }
        }
    return targets
}

function keyOf({ resource }: Item): string {
    return `${resource.resourceType}/${resource.id}`
}
