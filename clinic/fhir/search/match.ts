import type { Resource } from "@medplum/fhirtypes"
import type { TimeRange } from "../../readings/time-filter.ts"
import type { Parameter } from "../kind.ts"
import type { Criterion, QuantityCriterion, Reference, Token } from "./criterion.ts"
import { matchesDate, parseDate } from "./date.ts"

/** An element of a resource, as JSON has it. */
type Element = string | number | boolean | { readonly [name: string]: unknown }

/** Whether a resource matches one parameter of a search; `now` in unix ms. */
export function matches(resource: Resource, criterion: Criterion, now: number): boolean {
    const elements = elementsOf(resource, criterion.parameter)
    if (criterion.modifier === "missing") return criterion.isMissing === (elements.length === 0)
    switch (criterion.type) {
        case "token":
            return matchesTokens(elements.flatMap(tokensOf), criterion, criterion.parameter) === !criterion.modifier
        case "date": {
            const ranges = elements.map(rangeOf)
            return criterion.values.some(value => ranges.some(range => matchesDate(value, range, now)))
        }
        case "string": {
            const texts = elements.flatMap(textsOf)
            return criterion.values.some(value => texts.some(text => matchesText(text, value, criterion)))
        }
        case "reference":
            return criterion.values.some(value => elements.some(element => matchesReference(element, value)))
        case "quantity":
            return criterion.values.some(value => elements.some(element => matchesQuantity(element, value)))
    }
}

/** What a parameter looks at. */
export function elementsOf(resource: Resource, { path }: Pick<Parameter, "path">): Element[] {
    const paths = typeof path === "string" ? [path] : path
    return paths.flatMap(path => {
        let found: unknown[] = [resource]
        for (const name of path.split(".")) found = found.flatMap(element => children(element, name))
        return found as Element[]
    })
}

function children(element: unknown, name: string): unknown[] {
    if (typeof element !== "object" || element === null) return []
    const all = element as Record<string, unknown>
    const choice = name.endsWith("[x]") ? name.slice(0, -3) : undefined
    const isIt = (key: string) =>
        choice === undefined ? key === name : key.startsWith(choice) && /^[A-Z]/.test(key.slice(choice.length))
    return Object.keys(all)
        .filter(isIt)
        .flatMap(key => all[key])
        .filter(value => value !== undefined && value !== null)
}

/** Whether one of the tokens is one of those looked for. */
export function matchesTokens(
    tokens: readonly Token[],
    { values }: { values: readonly Token[] },
    { system: implied }: Pick<Parameter, "system"> = {},
): boolean {
    return tokens.some(token =>
        values.some(({ system, code }) => {
            if (code !== undefined && code !== token.code) return false
            if (system === undefined) return true
            return system === null ? token.system === undefined : system === (token.system ?? implied)
        }),
    )
}

function tokensOf(element: Element): Token[] {
    if (typeof element !== "object") return [{ code: String(element) }]
    const { coding, system, code, value } = element as {
        coding?: Token[]
        system?: string
        code?: string
        value?: string
    }
    if (coding) return coding
    const text = code ?? value
    return text === undefined ? [] : [{ code: text, ...(system !== undefined && { system }) }]
}

/** A moment, day, month or year, or a period, which may be open. */
export function rangeOf(element: Element): TimeRange {
    if (typeof element === "string") return parseDate(element).value
    const { start, end } = element as { start?: string; end?: string }
    return {
        from: start === undefined ? -Infinity : parseDate(start).value.from,
        before: end === undefined ? Infinity : parseDate(end).value.before,
    }
}

/** Of a name all its parts. */
export function textsOf(element: Element): string[] {
    if (typeof element !== "object") return [String(element)]
    const { text, family, given = [], display } = element as Record<string, string> & { given?: string[] }
    return [text, family, ...given, display].filter(part => part !== undefined)
}

function matchesText(
    text: string,
    value: string,
    { modifier, parameter }: { modifier?: "exact" | "contains" | undefined; parameter: Parameter },
): boolean {
    if (modifier === "exact" || (parameter.isWhole && modifier === undefined)) return text === value
    const [plain, wanted] = [plainText(text), plainText(value)]
    return modifier === "contains" ? plain.includes(wanted) : plain.startsWith(wanted)
}

/** Without case and accents (R4 §3.1.1.5.5). */
export function plainText(text: string): string {
    return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase()
}

function matchesReference(element: Element, { type, id }: Reference): boolean {
    if (typeof element !== "object" || id === undefined) return false
    const [ofType, ofId] = String(element.reference ?? "").split("/")
    return ofId === id && (type === undefined || type === ofType)
}

function matchesQuantity(element: Element, { prefix, value, half, unit }: QuantityCriterion): boolean {
    const {
        value: found,
        system,
        code,
    } = (typeof element === "object" ? element : { value: element }) as {
        value?: number
        system?: string
        code?: string
    }
    if (found === undefined) return false
    if (unit && (unit.code !== code || (unit.system !== undefined && unit.system !== system))) return false
    const isWithin = found >= value - half && found < value + half
    switch (prefix) {
        case "eq":
            return isWithin
        case "ne":
            return !isWithin
        case "gt":
        case "sa":
            return found > value
        case "lt":
        case "eb":
            return found < value
        case "ge":
            return found >= value
        case "le":
            return found <= value
        case "ap":
            return Math.abs(found - value) <= Math.max(half, Math.abs(value) / 10)
    }
}
