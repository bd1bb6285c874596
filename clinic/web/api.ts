import type { HistoryPoint } from "../readings/history.ts"
import type { VitalName } from "../readings/quantities.ts"

/** What the clinic's /api answers; see /api/openapi.json. Times are unix ms. */
export interface User {
    user: string
    role: "doctor" | "patient"
}

export interface Observation {
    id: number
    patient: number
    name: VitalName
    /** Null where there is none; `absent` may say why. */
    value: number | null
    absent: "motion" | "quality" | null
    /** Signal quality 0…1. */
    quality: number | null
    time: number
    /** The time was counted back from the arrival. */
    relative: boolean
}

export interface Alarm {
    id: number
    patient: number
    /** See docs/alarms.md. */
    kind: string
    /** SenML unit of the values. */
    unit: string | null
    raisedAt: number
    /** The time is an estimate. */
    raisedAbout: boolean
    raisedValue: number | null
    clearedAt: number | null
    clearedAbout: boolean
    acknowledgedAt: number | null
    acknowledgedBy: string | null
}

export type Settings = Record<string, number | string>

export interface ConfigField {
    name: string
    label: string
    unit: string
    min: number
    max: number
    default: number
    step: number
    description: string
    choices?: string[]
}

export interface Configuration {
    version: number
    settings: Settings
    author: string
    madeAt: number
    state: "pending" | "applied" | "refused" | "rolled back" | "superseded"
    /** The mote's. */
    reason: string | null
    answeredAt: number | null
}

export interface MoteConfig {
    inForce: { version: number; heardAt: number | null; settings: Settings | null }
    newest: Configuration | null
    /** What a change starts from. */
    settings: Settings
    fields: ConfigField[]
    router: { label: string; maxBytes: number; description: string }
}

export interface WardPatient {
    id: number
    given: string
    family: string
    bed: string | null
    newest: Observation[]
    /** Those in use. */
    motes: string[]
    /** After so long without a value something is wrong. */
    silentMs: number
}

export interface Ward {
    now: number
    newestId: number
    patients: WardPatient[]
}

/** Half an answer on a bad network never comes to an end by itself. */
const timeoutMs = 10_000

/** There is no session, or it has ended. */
export class LoggedOut extends Error {}

export const me = () => call<User>("GET", "/api/me")
export const ward = () => call<Ward>("GET", "/api/ward")
export const logout = () => call<void>("POST", "/api/logout")
export const login = (user: string, password: string) => call<User>("POST", "/api/login", { user, password })

export function history(
    patient: number,
    from: number,
    before: number,
    stepS: number,
): Promise<Record<VitalName, HistoryPoint[]>> {
    const query = `from=${Math.trunc(from)}&before=${Math.trunc(before)}&step=${stepS}`
    return call("GET", `/api/patients/${patient}/history?${query}`)
}

export const acknowledge = (alarm: number) => call<Alarm>("PUT", `/api/alarms/${alarm}`, { acknowledged: true })
export const alarmsOf = (patient: number) => call<Alarm[]>("GET", `/api/alarms?patient=${patient}`)

const ofMote = (mote: string, what: string) => `/api/motes/${mote}/${what}`
export const moteConfig = (mote: string) => call<MoteConfig & { patient: number }>("GET", ofMote(mote, "config"))
export const configHistory = (mote: string) => call<Configuration[]>("GET", ofMote(mote, "config/history"))
/** `base`: the newest version that was seen. */
export const configure = (mote: string, settings: Settings, base: number) =>
    call<Configuration>("PUT", ofMote(mote, "config"), { settings, base })
export const order = (mote: string, command: "identify" | "clear") =>
    call<object>("POST", ofMote(mote, "commands"), { command })

async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(path, {
        method,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && {
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        }),
    })
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
    const answer = (await response.json().catch(() => ({}))) as { error?: string }
    const message = answer.error ?? `the clinic answered ${response.status}`
    throw response.status === 401 ? new LoggedOut(message) : new Error(message)
}
