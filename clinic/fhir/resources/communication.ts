import type { Communication } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { CodeableConcept, Id, Instant, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import { may } from "../../people/permissions.ts"
import type { PatientDelivery } from "../../store/deliveries.ts"
import { numbers, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const schema = resource("Communication", {
    id: Id,
    meta: Meta,
    identifier: Type.Array(Type.Object({ system: Type.String(), value: Type.String() })),
    status: Type.Union(["in-progress", "completed", "stopped"].map(status => Type.Literal(status))),
    statusReason: optional(CodeableConcept),
    medium: Type.Array(CodeableConcept, { description: "The channel" }),
    subject: Reference,
    topic: CodeableConcept,
    about: Type.Array(Reference),
    sent: optional(Instant),
})

const subject = { type: "reference", path: "subject", targets: ["Patient"], isPatient: true } as const

/** What was told of alarms by channels: webhooks, e-mail, HL7. */
export const communicationKind: Kind = {
    type: "Communication",
    documentation: "What channels told, or are to tell, of the alarms of patients, the newest first.",
    ...{ access: "read", audit: "alarms", schema },
    parameters: {
        patient: { ...subject, definition: "Communication-patient" },
        subject: { ...subject, definition: "Communication-subject" },
        identifier: { type: "token", path: "identifier", definition: "Communication-identifier" },
        status: {
            ...{ type: "token", path: "status", definition: "Communication-status" },
            system: "http://hl7.org/fhir/event-status",
        },
        sent: { type: "date", path: "sent", definition: "Communication-sent" },
    },
    indexed: ["_id", "patient", "subject"],
    mandatory: ["status"],
    summary: ["identifier", "statusReason", "subject", "sent"],
    orders: ["_newest"],
    async read(ids, { clinic, user }) {
        const found = await clinic.deliveries.page({ patients: "all", ids: numbers(ids), limit: ids.length })
        return found.map(one => ({
            ...itemOf(one),
            ...(!may(user, "read", one.patient) && { isHidden: true as const }),
        }))
    },
    async scan({ criteria, patients, after, limit }: Scan, { clinic }: Asking) {
        const ids = idsIn(criteria, "_id")
        const beforeId = after === undefined ? undefined : placeOf(after)
        const of = { patients, beforeId, limit, ...(ids && { ids: numbers(ids) }) }
        const items = (await clinic.deliveries.page(of)).map(itemOf)
        return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
    },
}

function itemOf({ id, patient, notice, channel, alarm, phase, ...delivery }: PatientDelivery): Item {
    const { madeAt, nextAt, deliveredAt, failure } = delivery
    const iso = (ms: number) => new Date(ms).toISOString()
    const resource: Communication = {
        resourceType: "Communication",
        id: String(id),
        meta: { lastUpdated: iso(deliveredAt ?? madeAt) },
        identifier: [{ system: "urn:vitalmote:notice", value: notice }],
        status: deliveredAt !== null ? "completed" : nextAt !== null ? "in-progress" : "stopped",
        ...(deliveredAt === null && failure !== null && { statusReason: { text: failure } }),
        medium: [{ text: channel }],
        subject: { reference: `Patient/${patient}` },
        topic: { coding: [{ system: "urn:vitalmote:notice-phase", code: phase }], text: phase },
        about: [{ reference: `DetectedIssue/${alarm}` }],
        ...(deliveredAt !== null && { sent: iso(deliveredAt) }),
    }
    return { resource, patients: [patient], position: String(id) }
}
