import { createHash } from "node:crypto"
import type { StoredAuditEvent } from "../store/audit.ts"

/** What an event is about; docs/audit.md says which routes each of them stands for. */
export type AuditSubject =
    | "ward"
    | "patient"
    | "vital-signs"
    | "alarms"
    | "news2"
    | "notes"
    | "settings"
    | "motes"
    | "alarm-log"
    | "statistics"
    | "rules"
    | "break-glass"
    | "users"
    | "audit"
    | "retention"
    | "clinic"

export type AuditAction =
    "look" | "disclose" | "add" | "change" | "remove" | "sign-in" | "start" | "restore" | "broken" | "lost"

/** `unknown`: the clinic was killed before it could say. */
export type AuditOutcome = "done" | "refused" | "failed" | "unknown"

/** Who did what to whose data. Everything that is not known, or does not apply, is null. */
export interface AuditEvent {
    /** Unix ms, by the clinic's clock. */
    at: number
    account: number | null
    user: string | null
    role: string | null
    /** What the user has shown: `session 12`, `token 3`, `local`. */
    credential: string | null
    /** Of the network. */
    address: string | null
    subject: AuditSubject
    action: AuditAction
    outcome: AuditOutcome
    patients: readonly number[]
    /** Method and path. */
    request: string | null
    detail: Readonly<Record<string, string | number>> | null
}

/** An event as it is stored: all that the hash is over. */
export type AuditRow = Omit<StoredAuditEvent, "hash">

/** What the first event is chained to. */
export const noHash = new Uint8Array(32)

export function toRow(id: number, { patients, detail, ...event }: AuditEvent): AuditRow {
    const { user, address, request } = event
    return {
        ...{ id, ...event, user: plain(user), address: plain(address), request: plain(request) },
        patients: JSON.stringify([...new Set(patients)].sort((a, b) => a - b)),
        detail: detail && JSON.stringify(detail),
    }
}

export function toEvent({ id: _, ...row }: AuditRow): AuditEvent {
    return {
        ...row,
        subject: row.subject as AuditSubject,
        action: row.action as AuditAction,
        outcome: row.outcome as AuditOutcome,
        patients: JSON.parse(row.patients) as number[],
        detail: row.detail === null ? null : (JSON.parse(row.detail) as Record<string, string | number>),
    }
}

/**
 * SHA-256 over the columns and the hash of the event before (64 hex digits), as a JSON list (RFC 8259) without blanks. There
 * are only texts, whole numbers and nulls in it, which have one form each.
 */
export function hashOf(row: AuditRow, previous: Uint8Array): Uint8Array {
    const { id, at, account, user, role, credential, address, subject, action, outcome, patients, request, detail } =
        row
    const list = [
        ...[id, at, account, user, role, credential, address, subject, action, outcome, patients, request, detail],
        Buffer.from(previous).toString("hex"),
    ]
    return createHash("sha256").update(JSON.stringify(list)).digest()
}

/** As the database gives it back: without control characters and halves of surrogate pairs. */
function plain(text: string | null): string | null {
    return text && Buffer.from(text.replace(/\p{Cc}/gu, " ")).toString()
}
