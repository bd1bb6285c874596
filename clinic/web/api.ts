import { toProblem, type Problem } from "../../wire/tables/problems.ts"
import type { Alarm, AlarmEntry, AlarmLog } from "../http/schemas/alarms.ts"
import type {
    Command,
    CommandName,
    ConfigField,
    Configuration,
    MoteConfiguration,
    Settings,
} from "../http/schemas/configurations.ts"
import type { NewOpening, Opened, Opening, Openings, ReviewedOpening } from "../http/schemas/break-glass.ts"
import type { LiveEvents as LiveData } from "../http/schemas/live.ts"
import type { BurdenStatistics as Statistics, ReplayBody, ReplayResult } from "../http/schemas/burden.ts"
import type { BedsideEntry, Score, ScorePart, ScorePoint } from "../http/schemas/news2.ts"
import type { Association, Unassigned, UnassignedPage } from "../http/schemas/associations.ts"
import type { Mote, WornMote } from "../http/schemas/motes.ts"
import type { Note, Notes } from "../http/schemas/notes.ts"
import type { AuditEvents } from "../http/schemas/fhir.ts"
import type { History, HistoryPoint, Patient, PatientBody } from "../http/schemas/patients.ts"
import type { Router } from "../http/schemas/routers.ts"
import type { Erasure, LegalHold, Retention } from "../http/schemas/retention.ts"
import type { Passkey as OwnPasskey, PasskeyAnswer } from "../http/schemas/passkeys.ts"
import type { Session, SignInWays } from "../http/schemas/session.ts"
import type {
    NewSecondFactor,
    NewUser,
    RecoveryCodes,
    SessionView as OwnSession,
    Token,
    User,
} from "../http/schemas/users.ts"
import type { Condition, Observation, Trends, Ward, WardPatient } from "../http/schemas/ward.ts"
import type { WardRules } from "../http/schemas/ward-rules.ts"
import { t } from "./texts/language.ts"

export type WardSettings = NonNullable<WardRules["settings"]>

/* What the clinic's /api answers; see /api/openapi.json. */

export type {
    Erasure,
    LegalHold,
    Retention,
    Alarm,
    AlarmEntry,
    AlarmLog,
    Association,
    BedsideEntry,
    CommandName,
    Condition,
    ConfigField,
    Configuration,
    HistoryPoint,
    LiveData,
    Mote,
    MoteConfiguration,
    NewUser,
    Note,
    Observation,
    Opening,
    OwnPasskey,
    OwnSession,
    PasskeyAnswer,
    Patient,
    PatientBody,
    ReplayResult,
    ReviewedOpening,
    Router,
    Score,
    ScorePart,
    ScorePoint,
    Session,
    Settings,
    SignInWays,
    Statistics,
    Token,
    Unassigned,
    User,
    Ward,
    WardPatient,
    WardRules,
}

/** What is shown beside a password. */
export interface Factor {
    code?: string
    passkey?: PasskeyAnswer
}

/** Half an answer on a bad network never comes to an end by itself. */
const timeoutMs = 10_000

/** The clinic does not do what it was asked; `problem` says why, where it is the clinic that says so. */
export class Refused extends Error {
    readonly problem: Problem | undefined

    constructor(status: number, answer: unknown) {
        const problem = toProblem(answer)
        super(problem ? t.problem(problem) : t.answered(status))
        this.problem = problem
    }
}

/** There is no session, or it has ended. */
export class LoggedOut extends Refused {}

export const me = () => call<Session>("GET", "/api/me")
export const ward = () => call<Ward>("GET", "/api/ward")
export const trends = (from: number, steps: number, stepS: number) =>
    call<Trends>("GET", `/api/ward/trends?from=${Math.trunc(from)}&steps=${steps}&step=${stepS}`)
export const logout = () => call<void>("POST", "/api/logout")
export const login = (user: string, password: string, factor: Factor = {}) =>
    call<Session>("POST", "/api/login", { user, password, ...factor })
export const signInWays = () => call<SignInWays>("GET", "/api/sign-in")
/** The second factor of who comes from the sign-in provider. */
export const confirmSignIn = (factor: Factor) => call<void>("POST", "/api/sign-in/code", factor)
export const askForPasskey = () => call<object>("POST", "/api/sign-in/passkey/challenge")
export const passkeySignIn = (passkey: PasskeyAnswer) => call<void>("POST", "/api/sign-in/passkey", { passkey })
export const ownPasskeys = () => call<OwnPasskey[]>("GET", "/api/me/passkeys")
export const askForNewPasskey = (password: string | undefined) =>
    call<object>("POST", "/api/me/passkeys/challenge", { password })
export const addPasskey = (name: string, passkey: object) =>
    call<OwnPasskey>("POST", "/api/me/passkeys", { name, passkey })
export const renamePasskey = (id: number, name: string) => call<void>("PUT", `/api/me/passkeys/${id}`, { name })
export const removePasskey = (id: number) => call<void>("DELETE", `/api/me/passkeys/${id}`)
export const setPasskeyFactor = (on: boolean, password: string | undefined) =>
    call<void>("PUT", "/api/me/passkey-factor", { on, password })
/** With a setup link's token. */
export const setPassword = (token: string, password: string) => call<void>("POST", "/api/setup", { token, password })

export const history = (patient: number, from: number, before: number, stepS: number) =>
    call<History>("GET", `/api/patients/${patient}/history?${steps(from, before, stepS)}`)
const steps = (from: number, before: number, stepS: number) =>
    `from=${Math.max(1, Math.trunc(from))}&before=${Math.trunc(before)}&step=${stepS}`

const attend = (alarm: number, what: object) => call<Alarm>("PUT", `/api/alarms/${alarm}`, what)
export const acknowledge = (alarm: number) => attend(alarm, { acknowledged: true })
/** Takes back what somebody did within the last minute. */
export const undo = (alarm: number) => attend(alarm, { acknowledged: false })
export const pause = (alarm: number, minutes: number) => attend(alarm, { pauseMinutes: minutes })
export const alarmHistory = (alarm: number) => call<AlarmEntry[]>("GET", `/api/alarms/${alarm}/history`)
export const alarmLogPath = (query: Record<string, string>) => `/api/alarms/log?${new URLSearchParams(query)}`
export const alarmLog = (query: Record<string, string>) => call<AlarmLog>("GET", alarmLogPath(query))
export const alarmsOf = (patient: number) => call<Alarm[]>("GET", `/api/alarms?patient=${patient}`)

const news2Of = (patient: number) => `/api/patients/${patient}/news2`
export const scoreOf = (patient: number) => call<Score>("GET", news2Of(patient))
export const scoreHistory = (patient: number, from: number, before: number, stepS: number) =>
    call<ScorePoint[]>("GET", `${news2Of(patient)}/history?${steps(from, before, stepS)}`)
export const observe = (patient: number, entry: BedsideEntry) => call<Score>("POST", news2Of(patient), entry)
export const chooseScale = (patient: number, scale: 1 | 2) => call<Score>("PUT", `${news2Of(patient)}/scale`, { scale })

export const notesOf = (patient: number) => call<Notes>("GET", `/api/patients/${patient}/notes`)
export const addNote = (patient: number, text: string) => call<Note>("POST", `/api/patients/${patient}/notes`, { text })

/** A patient of another ward. */
export const openPatient = (body: NewOpening) => call<Opened>("POST", "/api/break-glass", body)
export const openings = () => call<Opening[]>("GET", "/api/break-glass")
export const endOpening = (id: number) => call<void>("DELETE", `/api/break-glass/${id}`)
export const allOpenings = (isReviewed: boolean, before?: number) =>
    call<Openings>(
        "GET",
        `/api/break-glass/openings?reviewed=${isReviewed}${before === undefined ? "" : `&before=${before}`}`,
    )
export const reviewOpening = (id: number) => call<ReviewedOpening>("PUT", `/api/break-glass/openings/${id}/review`)

const rulesOf = (ward: string) => `/api/wards/${encodeURIComponent(ward)}/alarms`
export const wardRules = (ward: string) => call<WardRules>("GET", rulesOf(ward))
/** `base`: the newest version that was seen. */
export const setWardRules = (ward: string, settings: WardSettings, base: number) =>
    call<WardRules>("PUT", rulesOf(ward), { settings, base })

export const patients = () => call<Patient[]>("GET", "/api/patients")
/** `confirmed` in the body: what was asked about already. */
export const admit = (body: PatientBody) => call<Patient>("POST", "/api/patients", body)
export const changePatient = (id: number, body: PatientBody) => call<Patient>("PUT", `/api/patients/${id}`, body)
export const discharge = (id: number) => call<void>("DELETE", `/api/patients/${id}`)
export const motes = () => call<Mote[]>("GET", "/api/motes")
export const pairMote = (mote: string, patient: number, confirmed: readonly "mote-in-use"[]) =>
    call<WornMote>("PUT", ofMote(mote, "association"), { patient, confirmed })
export const takeOffMote = (mote: string) => call<void>("DELETE", ofMote(mote, "association"))
export const associationsOf = (mote: string) => call<Association[]>("GET", ofMote(mote, "associations"))
export const unassignedOf = (mote: string) => call<UnassignedPage>("GET", ofMote(mote, "unassigned"))
export const rotateMote = (mote: string) => call<{ secret: string }>("POST", ofMote(mote, "rotate"))
export const revokeMote = (mote: string) => call<void>("DELETE", `/api/motes/${mote}`)
export const users = () => call<User[]>("GET", "/api/users")
export const addUser = (body: NewUser) => call<User>("POST", "/api/users", body)
const userPath = (user: string) => `/api/users/${encodeURIComponent(user)}`
export const switchUser = (user: string, active: boolean) => call<void>("PUT", `${userPath(user)}/active`, { active })
export const setWards = (user: string, wards: "all" | readonly string[]) =>
    call<User>("PUT", `${userPath(user)}/wards`, { wards })
export const removeUser = (user: string) => call<void>("DELETE", userPath(user))
export const tokensOf = (user: string) => call<Token[]>("GET", `${userPath(user)}/tokens`)
export const addToken = (user: string, body: object = {}) =>
    call<{ token: string }>("POST", `${userPath(user)}/tokens`, body)
export const revokeToken = (user: string, id: number) => call<void>("DELETE", `${userPath(user)}/tokens/${id}`)
/** Sets the password once, at `/#setup=TOKEN`. */
export const setupLink = (user: string) => call<{ token: string }>("POST", `${userPath(user)}/setup-link`)
export const changePassword = (password: string, newPassword: string) =>
    call<void>("PUT", "/api/me/password", { password, newPassword })
export const beginSecondFactor = (password: string | undefined) =>
    call<NewSecondFactor>("POST", "/api/me/second-factor", { password })
export const confirmSecondFactor = (code: string) => call<RecoveryCodes>("PUT", "/api/me/second-factor", { code })
export const removeSecondFactor = (password: string | undefined) =>
    call<void>("DELETE", "/api/me/second-factor", { password })
export const ownSessions = () => call<OwnSession[]>("GET", "/api/me/sessions")
export const endSession = (id: number) => call<void>("DELETE", `/api/me/sessions/${id}`)
export const endOtherSessions = () => call<void>("DELETE", "/api/me/sessions")
export const auditEvents = (query: URLSearchParams) => call<AuditEvents>("GET", `/fhir/AuditEvent?${query}`)
export const retention = () => call<Retention>("GET", "/api/retention")
/** Days, by kind; null: for good. The ward null is the hospital. */
export const setRetention = (body: { ward: string | null } & NonNullable<Retention["rules"][number]["periods"]>) =>
    call<Retention>("PUT", "/api/retention", body)
export const holds = () => call<LegalHold[]>("GET", "/api/holds")
export const holdPatient = (patient: number, reason: string) =>
    call<LegalHold>("POST", `/api/patients/${patient}/holds`, { reason })
export const liftHold = (patient: number, id: number) => call<void>("DELETE", `/api/patients/${patient}/holds/${id}`)
export const erasures = () => call<Erasure[]>("GET", "/api/erasures")
export const confirmErasure = (patient: number) =>
    call<void>("POST", `/api/patients/${patient}/erasure/confirmation`, { patient })
export const routers = () => call<Router[]>("GET", "/api/routers")

export const alarmStatistics = (from: number, before: number, ward: string | undefined) =>
    call<Statistics>("GET", statisticsPath(from, before, ward))
/** Where the same is as a file. */
export const statisticsCsv = (from: number, before: number, ward: string | undefined) =>
    `${statisticsPath(from, before, ward)}&format=csv`
export const replayAlarms = (patient: number, body: ReplayBody) =>
    call<ReplayResult>("POST", `/api/patients/${patient}/alarms/replay`, body)

function statisticsPath(from: number, before: number, ward: string | undefined): string {
    const ofWard = ward === undefined ? "" : `&ward=${encodeURIComponent(ward)}`
    return `/api/alarms/statistics?from=${from}&before=${before}${ofWard}`
}

const ofMote = (mote: string, what: string) => `/api/motes/${mote}/${what}`
export const moteConfig = (mote: string) => call<MoteConfiguration>("GET", ofMote(mote, "config"))
export const configHistory = (mote: string) => call<Configuration[]>("GET", ofMote(mote, "config/history"))
/** `base`: the newest version that was seen. */
export const configure = (mote: string, settings: Settings, base: number) =>
    call<Configuration>("PUT", ofMote(mote, "config"), { settings, base })
export const order = (mote: string, command: CommandName) =>
    call<Command>("POST", ofMote(mote, "commands"), { command })

async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await answerOf(path, {
        method,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && {
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        }),
    })
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
    const { status } = response
    const answer: unknown = await response.json().catch(() => undefined)
    throw status === 401 ? new LoggedOut(status, answer) : new Refused(status, answer)
}

/** The address of one of the clinic's paths: beside the page, which a proxy may show under a path. */
export function here(path: string): string {
    return `.${path}`
}

/** What browsers say of a network is in their own language and for nobody. */
async function answerOf(path: string, o: RequestInit): Promise<Response> {
    try {
        return await fetch(here(path), o)
    } catch (error) {
        throw new Error(t.noAnswer, { cause: error })
    }
}
