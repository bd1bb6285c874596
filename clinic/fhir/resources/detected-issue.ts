import type { DetectedIssue } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { eui } from "../../../wire/keys.ts"
import { alarmKindOf } from "../../../wire/tables/alarm-kinds.ts"
import type { AlarmLife } from "../../alarms/alarms.ts"
import { CodeableConcept, Id, Instant, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import { may } from "../../people/permissions.ts"
import { numbers, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const schema = resource("DetectedIssue", {
    id: Id,
    meta: Meta,
    status: Type.Union([Type.Literal("preliminary"), Type.Literal("final")]),
    code: CodeableConcept,
    severity: Type.Union(["high", "moderate", "low"].map(severity => Type.Literal(severity))),
    patient: Reference,
    identifiedPeriod: Type.Object({ start: Instant, end: optional(Instant) }),
    author: optional(Reference),
    mitigation: optional(
        Type.Array(
            Type.Object({
                action: CodeableConcept,
                date: Instant,
                author: Type.Object({ display: Type.String({ description: "User name" }) }),
            }),
        ),
    ),
})

const patient = { type: "reference", path: "patient", targets: ["Patient"], isPatient: true } as const

/** The alarms of patients, with what was done about each. */
export const detectedIssueKind: Kind = {
    type: "DetectedIssue",
    documentation:
        "The alarms of patients, the newest first: preliminary while one is on the screen, then final; each acknowledgement, pause and the like is a mitigation.",
    ...{ access: "read", audit: "alarms", schema },
    parameters: {
        patient: { ...patient, definition: "clinical-patient" },
        code: { type: "token", path: "code", definition: "clinical-code" },
        identified: { type: "date", path: "identified[x]", definition: "DetectedIssue-identified" },
        author: { type: "reference", path: "author", definition: "DetectedIssue-author", targets: ["Device"] },
    },
    indexed: ["patient"],
    mandatory: ["status"],
    summary: ["code", "severity", "patient", "identifiedPeriod", "author"],
    orders: ["_newest"],
    async read(ids, { clinic, user }) {
        return (await clinic.alarms.livesOf(numbers(ids)))
            .filter(({ alarm }) => alarm.patient !== null)
            .map(life => ({
                ...itemOf(life),
                ...(!may(user, "read", life.alarm.patient) && { isHidden: true as const }),
            }))
    },
    async scan({ criteria, patients, after, limit }: Scan, asking: Asking) {
        const ids = idsIn(criteria, "_id")
        if (ids) {
            const isIt = ({ patients: [id], isHidden }: Item) =>
                !isHidden && (patients === "all" || patients.includes(id!))
            const items = after === undefined ? (await detectedIssueKind.read(ids, asking)).filter(isIt) : []
            return { items, rest: undefined }
        }
        const beforeId = after === undefined ? undefined : placeOf(after)
        const items = (await asking.clinic.alarms.page({ patients, beforeId, limit })).map(itemOf)
        return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
    },
}

const severities: Record<string, DetectedIssue["severity"]> = { high: "high", medium: "moderate", low: "low" }

function itemOf({ alarm, done }: AlarmLife): Item {
    const { id, kind, kid, raisedAt, clearedAt, priority } = alarm
    const updatedAt = Math.max(alarm.storedAt, alarm.since, ...done.map(({ at }) => at))
    const resource: DetectedIssue = {
        resourceType: "DetectedIssue",
        id: String(id),
        meta: { lastUpdated: iso(updatedAt) },
        status: alarm.isOpen === 1 ? "preliminary" : "final",
        code: { coding: [{ system: "urn:vitalmote:alarm", code: kind }], text: alarmKindOf(kind).label },
        severity: severities[priority]!,
        patient: { reference: `Patient/${alarm.patient}` },
        identifiedPeriod: {
            start: iso(raisedAt),
            ...(clearedAt !== null && { end: iso(Math.max(clearedAt, raisedAt)) }),
        },
        ...(kid && { author: { reference: `Device/${eui(kid)}` } }),
        ...(done.length > 0 && {
            mitigation: done.map(({ change, at, by }) => ({
                action: { coding: [{ system: "urn:vitalmote:alarm-change", code: change }], text: change },
                date: iso(at),
                author: { display: by! },
            })),
        }),
    }
    return { resource, patients: [alarm.patient!], position: String(id) }
}

function iso(ms: number): string {
    return new Date(ms).toISOString()
}
