import { refusalText, type Refusal } from "./refusals.ts"

/*
 * Why the clinic's HTTP interface does not do what is asked: a code with parameters. The one table for clinic, page and command
 * line; docs/api.md, "Failures". Words are made of a problem where people read them, by `problemText`.
 */

export interface ProblemKind {
    /** HTTP, RFC 9110 §15. */
    readonly status: number
    /** With `{parameter}` where one goes in. */
    readonly text: string
}

export const problemKinds = {
    "bad-request": { status: 400, text: "the request is malformed at {place} ({rule})" },
    "bad-address": { status: 400, text: "the address is malformed" },
    "bad-parameter": { status: 400, text: "{parameter} {fault}" },
    "bad-settings": { status: 400, text: "{refusal}" },
    "bad-batch": { status: 400, text: "not a batch of envelopes" },
    "too-many-steps": { status: 400, text: "more than {max} steps" },
    "too-many-patients": { status: 400, text: "too many patients to search them all: name them with patient" },
    "needs-password": { status: 400, text: "a user with the role {role} needs a password" },
    "has-no-password": { status: 400, text: "a user with the role {role} has no password" },
    "needs-patient": { status: 400, text: "a user with the role {role} needs a patient" },
    "has-no-patient": { status: 400, text: "a user with the role {role} has no patient" },
    "needs-ward": { status: 400, text: "a user with the role {role} needs one ward" },
    "has-no-wards": { status: 400, text: "a user with the role {role} has no wards" },
    "not-logged-in": { status: 401, text: "log in or send a valid token" },
    "bad-credentials": { status: 401, text: "the user name or the password is wrong" },
    forbidden: { status: 403, text: "this is not for you" },
    "other-patient": { status: 403, text: "this is another patient's data" },
    "other-site": {
        status: 403,
        text: "the request comes from another site (behind a proxy the clinic needs --base-url)",
    },
    "not-found": { status: 404, text: "{what} not found" },
    "not-acceptable": { status: 406, text: "only JSON is available here, as in application/fhir+json" },
    "newer-configuration": { status: 409, text: "there is a newer configuration: read it first" },
    "not-on-the-ward": { status: 409, text: "the patient is not on the ward" },
    revoked: { status: 409, text: "the mote is revoked" },
    "name-taken": { status: 409, text: "that user name is taken" },
    "own-account": { status: 409, text: "nobody can remove themselves" },
    "too-large": { status: 413, text: "the body is too large" },
    "media-type": { status: 415, text: "media type not supported here" },
    "too-often": { status: 429, text: "too many requests: try again later" },
    "too-many-streams": { status: 429, text: "too many live clients of this user" },
    failed: { status: 500, text: "the clinic failed" },
    full: { status: 503, text: "too many live clients" },
    "database-broken": { status: 503, text: "the database does not work" },
    "disk-full": { status: 507, text: "the disk is full: nothing can be stored" },
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof problemKinds

const parameterFaults = {
    unknown: "is not a parameter of this search",
    empty: "is empty",
    repeated: "is given twice",
    malformed: "is malformed",
    "too-many": "has too many values",
} as const

/** What is wrong with a parameter of a query. */
export type ParameterFault = keyof typeof parameterFaults

/** What parameters look like that are not malformed. */
const parameterForms: Record<string, string> = {
    patient: "1 or Patient/1",
    subject: "1 or Patient/1",
    date: "ge2024-03-01 or lt2024-03-01T03:00:00Z",
    _sort: "date or -date",
    _count: "a number",
    _cursor: "as in a next link of this server",
}

export interface Problem {
    readonly code: ProblemCode
    /** What was not found. */
    readonly what?: "address" | "alarm" | "mote" | "patient" | "resource" | "user"
    /** Where in the request, as in `body/settings`, and the JSON Schema keyword that does not hold there. */
    readonly place?: string
    readonly rule?: string
    /** In a query, and what is wrong with it. */
    readonly parameter?: string
    readonly fault?: ParameterFault
    readonly max?: number
    readonly role?: string
    readonly refusal?: Refusal
}

/** What of a problem is no code. */
export type ProblemParameters = Omit<Problem, "code">

/** In a line for people, without a full stop. */
export function problemText(problem: Problem): string {
    return problemKinds[problem.code].text.replace(/\{(\w+)\}/g, (_all, name: keyof Problem) => {
        if (name === "fault") return faultText(problem)
        const value = problem[name]
        return typeof value === "object" && value !== null ? refusalText(value) : String(value ?? "?")
    })
}

function faultText({ parameter = "", fault = "malformed" }: Problem): string {
    const form =
        fault === "malformed" && Object.hasOwn(parameterForms, parameter) ? parameterForms[parameter] : undefined
    return parameterFaults[fault] + (form === undefined ? "" : `: ${form}`)
}

const typePrefix = "urn:vitalmote:problem:"

/** A problem as JSON, RFC 9457 §3. `detail` is for people, the rest for programs. */
export type ProblemDetails = ProblemParameters & {
    readonly type: string
    readonly status: number
    readonly detail: string
}

export const problemMediaType = "application/problem+json"

export function problemDetails({ code, ...parameters }: Problem, detail?: string): ProblemDetails {
    const { status } = problemKinds[code]
    return { type: typePrefix + code, status, detail: detail ?? problemText({ code, ...parameters }), ...parameters }
}

/** The problem in an answer; undefined where it is none of this table's. */
export function toProblem(answer: unknown): Problem | undefined {
    if (typeof answer !== "object" || answer === null) return undefined
    const { type, status: _, detail: __, ...parameters } = answer as Partial<ProblemDetails>
    if (typeof type !== "string" || !type.startsWith(typePrefix)) return undefined
    const code = type.slice(typePrefix.length)
    if (!Object.hasOwn(problemKinds, code)) return undefined
    return { code: code as ProblemCode, ...parameters }
}
