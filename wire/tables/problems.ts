import { refusalText, type Refusal } from "./refusals.ts"

/*
 * The problems that the clinic's HTTP interface reports: codes with parameters, for the clinic, its page and the
 * command line; docs/api.md, "Failures". `problemText` turns a problem into words where people read it.
 */

export interface ProblemKind {
    /** HTTP status code, RFC 9110 §15. */
    readonly status: number
    /** The text for people, with `{name}` in place of a parameter. */
    readonly text: string
}

export const problemKinds = {
    "bad-request": { status: 400, text: "the request is malformed at {place} ({rule})" },
    "bad-address": { status: 400, text: "the address is malformed" },
    "bad-parameter": { status: 400, text: "{parameter} {fault}" },
    "bad-settings": { status: 400, text: "{refusal}" },
    "bad-batch": { status: 400, text: "not what a router sends" },
    "too-long-a-time": { status: 400, text: "more than {max} days" },
    "too-many-steps": { status: 400, text: "more than {max} steps" },
    "too-many-patients": { status: 400, text: "too many patients to search them all: name them with patient" },
    "too-costly": { status: 400, text: "too much to look through: narrow the search" },
    "has-no-password": { status: 400, text: "a user with the role {role} has no password" },
    "needs-patient": { status: 400, text: "a user with the role {role} needs a patient" },
    "has-no-patient": { status: 400, text: "a user with the role {role} has no patient" },
    "needs-ward": { status: 400, text: "a user with the role {role} needs one ward" },
    "needs-wards": { status: 400, text: "a user with the role {role} needs wards, or all of them" },
    "has-no-wards": { status: 400, text: "a user with the role {role} has no wards" },
    "has-no-motes": { status: 400, text: "a user with the role {role} has no motes" },
    "not-logged-in": { status: 401, text: "log in or send a valid token" },
    "bad-credentials": { status: 401, text: "the user name or the password is wrong" },
    "needs-code": { status: 401, text: "the second factor is needed" },
    "bad-code": { status: 401, text: "the code is wrong" },
    "passwords-off": { status: 401, text: "password sign-in is off here, or the user name or the password is wrong" },
    "sign-in-over": { status: 401, text: "the sign-in took too long, or began in another browser: begin again" },
    "sign-in-again": { status: 403, text: "sign in again first: the last time is more than ten minutes ago" },
    "bad-passkey": { status: 401, text: "the passkey is not known here, or its answer is not valid" },
    "no-passkeys-here": { status: 409, text: "passkeys need a host name: the clinic is reached by an IP address" },
    "too-many-passkeys": { status: 409, text: "an account has {max} passkeys at most: remove one" },
    "account-off": { status: 403, text: "this account is switched off" },
    "openid-down": { status: 502, text: "the sign-in provider does not answer" },
    "openid-refused": { status: 403, text: "the sign-in provider has refused" },
    "openid-invalid": { status: 403, text: "what the sign-in provider answered is not valid: begin again" },
    "openid-no-role": { status: 403, text: "you have no role here: none of your groups stands for one" },
    "openid-two-roles": { status: 403, text: "your groups stand for more than one role" },
    "openid-no-account": { status: 403, text: "nobody has made an account for you" },
    "openid-no-name": { status: 403, text: "the sign-in provider tells no user name ({parameter})" },
    "openid-taken": { status: 403, text: "the account of that name belongs to somebody else" },
    "openid-no-sign-out": { status: 404, text: "one cannot sign out at the sign-in provider from here" },
    "bad-link": { status: 401, text: "the link was used, is over, or was replaced by another one" },
    "no-certificate": {
        status: 403,
        text: "a router has to show a certificate that this clinic trusts (--client-cert)",
    },
    forbidden: { status: 403, text: "you do not have permission" },
    "more-than-own": { status: 403, text: "a limited token gives nothing that it does not have itself" },
    "other-ward": { status: 403, text: "this ward is not one of yours" },
    "other-patient": { status: 403, text: "this is another patient's data" },
    "other-site": {
        status: 403,
        text: "the request comes from another site (behind a proxy the clinic needs --base-url)",
    },
    "not-found": { status: 404, text: "{what} not found" },
    "bad-method": { status: 405, text: "the method is not possible here" },
    "not-acceptable": { status: 406, text: "only JSON is available here, as in application/fhir+json" },
    "newer-configuration": { status: 409, text: "there is a newer configuration: read it first" },
    "on-the-ward": { status: 409, text: "the patient is on the ward: discharge first" },
    held: { status: 409, text: "a legal hold keeps the patient's data: it has to be lifted first" },
    "erasure-asked": { status: 409, text: "somebody has asked for that already" },
    "two-people": { status: 409, text: "whoever asked cannot confirm it: that has to be somebody else" },
    "nobody-to-tell": { status: 400, text: "at {time} the escalation has nobody to tell" },
    "not-on-the-ward": { status: 409, text: "the patient is not on the ward" },
    "more-than-one": { status: 409, text: "more than one patient fits: say it in another way" },
    "too-many-open": { status: 409, text: "{max} patients of other wards are open already: end one" },
    "mote-in-use": { status: 409, text: "patient {patient} wears the mote: take it off first, or confirm" },
    "patient-known": { status: 409, text: "patient {patient} seems to be the same person: confirm that it is not" },
    "bed-taken": { status: 409, text: "patient {patient} is in that bed: confirm" },
    revoked: { status: 409, text: "the mote is revoked" },
    "name-taken": { status: 409, text: "that user name is taken" },
    "already-acknowledged": { status: 409, text: "{by} has acknowledged it already" },
    "alarm-closed": { status: 409, text: "the alarm is closed" },
    "alarm-over": { status: 409, text: "the alarm is over: acknowledge it" },
    "nothing-to-undo": { status: 409, text: "there is nothing to take back: that is possible for a minute" },
    "has-second-factor": { status: 409, text: "there is a second factor already" },
    "no-second-factor": { status: 409, text: "there is no second factor to confirm" },
    "own-account": { status: 409, text: "users cannot remove or switch off themselves" },
    "backup-at-work": { status: 409, text: "another backup is being made" },
    "too-large": { status: 413, text: "the body is too large" },
    "media-type": { status: 415, text: "the media type is not supported" },
    "too-often": { status: 429, text: "too many requests: try again later" },
    "too-many-streams": { status: 429, text: "too many live clients of this user" },
    failed: { status: 500, text: "internal error in the clinic" },
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
    "bad-modifier": "has a modifier that is not possible here",
} as const

/** The fault of a query parameter. */
export type ParameterFault = keyof typeof parameterFaults

/** Examples of well-formed parameters, for the text of a malformed one. */
const parameterForms: Record<string, string> = {
    patient: "1 or Patient/1",
    subject: "1 or Patient/1",
    date: "ge2024-03-01 or lt2024-03-01T03:00:00Z",
    _sort: "names of parameters, such as date or -date",
    _lastUpdated: "gt2024-03-01T03:00:00Z",
    _include: "Observation:device",
    _revinclude: "Observation:patient",
    _count: "a number",
    _cursor: "as in a next link of this server",
}

export interface Problem {
    readonly code: ProblemCode
    /** The kind of thing that was not found. */
    readonly what?:
        | (
              | "address"
              | "alarm"
              | "backup"
              | "erasure"
              | "hold"
              | "mote"
              | "opening"
              | "passkey"
              | "patient"
              | "resource"
          )
        | ("session" | "token" | "user")
    /** The place in the request, such as `body/settings`. */
    readonly place?: string
    /** The JSON Schema keyword that is violated there. */
    readonly rule?: string
    /** The name of a query parameter. */
    readonly parameter?: string
    /** The fault of that parameter. */
    readonly fault?: ParameterFault
    readonly max?: number
    /** Whether a passkey of the user is as good as the code that is needed. */
    readonly passkey?: boolean
    readonly role?: string
    /** The id of a patient. */
    readonly patient?: number
    /** The name of a user. */
    readonly by?: string
    /** A time of day, such as 06:00. */
    readonly time?: string
    readonly refusal?: Refusal
}

/** The parameters of a problem, without its code. */
export type ProblemParameters = Omit<Problem, "code">

/** Returns the problem as one line for people, without a full stop. */
export function problemText(problem: Problem): string {
    return problemKinds[problem.code].text.replace(/\{(\w+)\}/g, (_all, name: keyof Problem) => {
        if (name === "fault") return faultText(problem)
        const value = problem[name]
        return typeof value === "object" && value !== null
            ? refusalText(value)
            : String(value ?? (name === "patient" ? "of another ward" : "?"))
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

/** Returns the problem in a response body, or undefined if it is not one of this table. */
export function toProblem(answer: unknown): Problem | undefined {
    if (typeof answer !== "object" || answer === null) return undefined
    const { type, status: _, detail: __, ...parameters } = answer as Partial<ProblemDetails>
    if (typeof type !== "string" || !type.startsWith(typePrefix)) return undefined
    const code = type.slice(typePrefix.length)
    if (!Object.hasOwn(problemKinds, code)) return undefined
    return { code: code as ProblemCode, ...parameters }
}
