/*
 * Who may do what. Everything else asks `may`; nothing else compares names of roles. The table is in docs/api.md, too, where a
 * test holds it against this one.
 */

interface RoleKind {
    /** What one signs in with. A role without a password has tokens only. */
    signIn: "password" | "token"
    /** Belongs to one patient. */
    isPatient: boolean
    /** Which wards an account of it has: one, all or any number, or (`served`) those whose motes it serves, without any all of them. */
    wards: "none" | "one" | "choice" | "served"
    /** A session ends with the shift, whatever happens. */
    sessionEnds: boolean
    /** Looks at patients even while nothing can be stored, the audit record neither. */
    atBedside: boolean
}

const roleKinds = {
    doctor: { signIn: "password", isPatient: false, wards: "choice", sessionEnds: true, atBedside: true },
    nurse: { signIn: "password", isPatient: false, wards: "choice", sessionEnds: true, atBedside: true },
    patient: { signIn: "password", isPatient: true, wards: "none", sessionEnds: true, atBedside: true },
    // A screen on a wall, which nobody logs in at night.
    display: { signIn: "password", isPatient: false, wards: "one", sessionEnds: false, atBedside: true },
    // Whoever runs the clinic sees no patient.
    administrator: { signIn: "password", isPatient: false, wards: "none", sessionEnds: true, atBedside: false },
    // Another system of the hospital.
    integrator: { signIn: "token", isPatient: false, wards: "choice", sessionEnds: true, atBedside: false },
    router: { signIn: "token", isPatient: false, wards: "served", sessionEnds: true, atBedside: false },
} as const satisfies Record<string, RoleKind>

export type Role = keyof typeof roleKinds
export const roles = Object.keys(roleKinds) as Role[]

/** Whose data: that of every patient, the user's own, or that of the patients who are on the user's wards now. */
type Scope = "all" | "own" | "ward"

interface Permission {
    /** What it allows, for docs/api.md. */
    allows: string
    /** A role that is not named may not. */
    to: Partial<Record<Role, Scope>>
    /** Also for a patient of another ward whom the user has opened with a reason. */
    breakGlass?: true
}

export const permissions = {
    "use-session": {
        allows: "sign out, see who one is, read `/api/openapi.json`",
        to: { doctor: "all", nurse: "all", patient: "all", display: "all", administrator: "all", integrator: "all" },
    },
    watch: {
        allows: "see the ward: who is there, newest values and their curves, alarms that are open",
        to: { doctor: "ward", nurse: "ward", patient: "own", display: "ward", integrator: "ward" },
        breakGlass: true,
    },
    read: {
        allows: "see patients, vital signs, alarms and settings, also as FHIR",
        to: { doctor: "ward", nurse: "ward", patient: "own", integrator: "ward" },
        breakGlass: true,
    },
    acknowledge: {
        allows: "acknowledge and pause alarms",
        to: { doctor: "ward", nurse: "ward" },
        breakGlass: true,
    },
    "read-rules": { allows: "see a ward's alarm rules", to: { doctor: "ward", nurse: "ward" } },
    "set-rules": { allows: "change a ward's alarm rules", to: { doctor: "ward" } },
    observe: {
        allows: "enter what was observed at the bedside for NEWS2",
        to: { doctor: "ward", nurse: "ward" },
        breakGlass: true,
    },
    note: {
        allows: "read and write notes about a patient",
        to: { doctor: "ward", nurse: "ward" },
        breakGlass: true,
    },
    "choose-scale": { allows: "choose a patient's SpO₂ scale of NEWS2", to: { doctor: "ward" }, breakGlass: true },
    "review-alarms": {
        allows: "see the statistics of alarms, try other limits on what is stored",
        to: { doctor: "ward", nurse: "ward" },
    },
    configure: {
        allows: "change a mote's settings, send it commands",
        to: { doctor: "ward" },
        breakGlass: true,
    },
    "break-glass": {
        allows: "open a patient of another ward with a reason, for a while",
        to: { doctor: "all", nurse: "all" },
    },
    "manage-patients": {
        allows: "list, admit, change and discharge patients",
        to: { doctor: "ward", nurse: "ward" },
    },
    "manage-motes": {
        allows: "list and register motes, put them on patients, take them off, rotate, revoke",
        to: { doctor: "ward", nurse: "ward" },
    },
    "manage-users": {
        allows: "list, add and remove users; setup links, tokens, sessions of others",
        to: { doctor: "all", administrator: "all" },
    },
    monitor: { allows: "read `/metrics`", to: { doctor: "all", administrator: "all" } },
    "back-up": { allows: "hold the database still for a backup", to: { administrator: "all" } },
    "ask-erasure": {
        allows: "ask for a discharged patient to be erased, and withdraw that",
        to: { doctor: "ward", administrator: "all" },
    },
    "manage-retention": {
        allows: "decide how long what is kept; legal holds; erase patients",
        to: { administrator: "all" },
    },
    "read-audit": {
        allows: "see who looked at and changed what, also as FHIR",
        to: { patient: "own", administrator: "all" },
    },
    "review-break-glass": {
        allows: "see who opened patients of other wards, and say that it was reviewed",
        to: { administrator: "all" },
    },
    "verify-audit": { allows: "read the whole audit record, to verify it", to: { administrator: "all" } },
    deliver: { allows: "fetch keys, deliver envelopes", to: { router: "all" } },
} as const satisfies Record<string, Permission>

export type Action = keyof typeof permissions
export const actions = Object.keys(permissions) as Action[]

/** Who asks, as far as permissions go. */
export interface Subject {
    role: Role
    /** Of a patient, who that is. */
    patient: number | null
    /** Of whom wards limit, which ones; who has none sees nobody. */
    wards?: "all" | readonly string[]
    /** The patients who are on these wards now, unless they are all. */
    onWard?: readonly number[]
    /** Patients of other wards whom the user has opened with a reason. */
    opened?: readonly { patient: number }[]
    /** Of a limited token: nothing else. */
    only?: readonly Action[]
    /** Of a token: when it ends, unix ms. */
    endsAt?: number
}

/**
 * Whether the user may do this; with `patient`, whether they may do it with that patient's data. Null: with what is nobody's, which is
 * for those who may do it with everybody's.
 */
export function may(user: Subject, action: Action, patient?: number | null): boolean {
    if (patient === undefined) return scopeOf(user, action) !== undefined
    const patients = patientsFor(user, action)
    return patients === "all" || (patient !== null && patients.includes(patient))
}

/** The patients with whose data the user may do this: everyone's, or those listed. */
export function patientsFor(user: Subject, action: Action): "all" | number[] {
    const { breakGlass }: Permission = permissions[action]
    switch (scopeOf(user, action)) {
        case "all":
            return "all"
        case "own":
            return user.patient === null ? [] : [user.patient]
        case "ward":
            if (user.wards === "all") return "all"
            return [...new Set([...(user.onWard ?? []), ...(breakGlass ? openedBy(user) : [])])]
        case undefined:
            return []
    }
}

function openedBy({ opened = [] }: Subject): number[] {
    return opened.map(({ patient }) => patient)
}

/** Whether the user may do this with what a ward has, or what is on it. */
export function mayOnWard(user: Subject, action: Action, ward: string | null): boolean {
    const scope = scopeOf(user, action)
    if (scope !== "ward") return scope === "all"
    return user.wards === "all" || (ward !== null && (user.wards?.includes(ward) ?? false))
}

/** All that the user may do, so that a page can leave out what would be refused. */
export function permissionsOf(user: Subject): Action[] {
    return actions.filter(action => may(user, action))
}

/**
 * Whether somebody may give this away, as an account, a link or a token. Who may manage users may make any; by a limited token, nothing
 * that it does not allow itself, and nothing that lasts longer.
 * @param given.endsAt unix ms; without it, it does not end
 */
export function mayGive(giver: Subject, given: Pick<Subject, "role" | "only" | "endsAt">): boolean {
    const { only, endsAt = Infinity } = giver
    if ((given.endsAt ?? Infinity) > endsAt) return false
    return only === undefined || actions.every(action => scopeOf(given, action) === undefined || only.includes(action))
}

export function isRole(name: string): name is Role {
    return Object.hasOwn(roleKinds, name)
}

export function isAction(name: string): name is Action {
    return Object.hasOwn(permissions, name)
}

export function kindOf(role: Role): RoleKind {
    return roleKinds[role]
}

/** Undefined where the user may not. */
export function scopeOf(user: Pick<Subject, "role" | "only" | "wards">, action: Action): Scope | undefined {
    if (user.only && !user.only.includes(action)) return undefined
    // Whoever gives out accounts and their wards would give themselves all of them.
    if (action === "manage-users" && user.wards !== undefined && user.wards !== "all") return undefined
    const { to }: Permission = permissions[action]
    return to[user.role]
}
