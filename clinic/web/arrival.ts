import { toProblem, type Problem } from "../../wire/tables/problems.ts"

/** What an address brings beside a view, once. */
export interface Arrival {
    /** The token of a setup link. */
    setup?: string
    /** Who comes from the sign-in provider, and has a second factor here. */
    needsCode?: true
    /** Why a sign-in with the provider did not work. */
    problem?: Problem
}

const place = "vitalmote-after-sign-in"
const form = /^#(setup|problem|code)(?:=([\w-]{1,200})(?:,([\w%.-]{1,200}))?)?$/

/** Takes it out of the address, so that nobody reads it over a shoulder, and nothing happens twice. */
export function takeArrival(): Arrival {
    const [, kind, value = "", parameter] = form.exec(location.hash) ?? []
    if (kind === undefined) return {}
    history.replaceState(null, "", location.pathname)
    if (kind === "code") return { needsCode: true }
    if (kind === "setup") return value === "" ? {} : { setup: value }
    const named = parameter === undefined ? {} : { parameter: decodeURIComponent(parameter) }
    const problem = toProblem({ type: `urn:vitalmote:problem:${value}`, ...named })
    return problem ? { problem } : {}
}

/** Remembers the view, for when the browser comes back from the provider. */
export function leaveView(): void {
    if (location.hash !== "") sessionStorage.setItem(place, location.hash)
}

export function returnToView(): void {
    const hash = sessionStorage.getItem(place)
    sessionStorage.removeItem(place)
    if (hash !== null && location.hash === "") history.replaceState(null, "", location.pathname + hash)
}
