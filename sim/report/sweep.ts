import { UserError } from "../../host/errors.ts"
import { parseScenario } from "../scenario/load.ts"
import type { Scenario } from "../scenario/schema.ts"

const maxValues = 100

/** The property of a scenario that is varied. */
export interface Sweep {
    /**
     * Path such as `medium.rx`; in a list, such as `grids.spacing`, it applies to each element. `seed` is the seed
     * itself.
     */
    key: string
    values: (number | string)[]
}

/** @param text such as `medium.rx=0.7,0.8,0.9` @throws UserError */
export function parseSweep(text: string): Sweep {
    const [, key, list] = /^([\w.-]+)=(.+)$/.exec(text) ?? []
    if (!key || !list) throw new UserError(`--sweep ${text}: expected KEY=V1,V2,…, as in medium.rx=0.7,0.8`, 2)
    const values = list.split(",").map(valueOf)
    if (values.includes("")) throw new UserError(`--sweep ${text}: a value is empty`, 2)
    if (new Set(values).size < values.length) throw new UserError(`--sweep ${text}: a value occurs twice`, 2)
    if (values.length > maxValues) throw new UserError(`--sweep ${key}: more than ${maxValues} values`, 2)
    return { key, values }
}

function valueOf(text: string): number | string {
    const trimmed = text.trim()
    const number = Number(trimmed)
    return trimmed !== "" && Number.isFinite(number) ? number : trimmed
}

/** The scenario with another value. @throws UserError if it is then invalid */
export function withValue(scenario: Scenario, key: string, value: number | string): Scenario {
    const place = `--sweep ${key}=${value}`
    const changed = changedAt(scenario, key.split("."), value, missing => {
        throw new UserError(`--sweep ${key}: the scenario has no ${missing}`, 2)
    })
    try {
        return parseScenario(JSON.stringify(changed), place)
    } catch (error) {
        if (!(error instanceof UserError)) throw error
        // The line number refers to generated text, so it is removed.
        throw new UserError(error.message.replace(`${place}:1: `, `${place}: `), 2)
    }
}

function changedAt(
    within: object,
    [name = "", ...rest]: string[],
    value: number | string,
    missing: (what: string) => never,
): object {
    if (!rest.length) return { ...within, [name]: value }
    const inner: unknown = Object.hasOwn(within, name) ? (within as Record<string, unknown>)[name] : undefined
    if (typeof inner !== "object" || inner === null) return missing(name)
    if (!Array.isArray(inner)) return { ...within, [name]: changedAt(inner, rest, value, missing) }
    if (!inner.length) return missing(name)
    const all = inner.map(one => changedAt(Object(one) as object, rest, value, missing))
    return { ...within, [name]: all }
}
