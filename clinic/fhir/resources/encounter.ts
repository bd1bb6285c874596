import type { Encounter } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { Coding, Id, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import type { Patient } from "../../people/patients.ts"
import type { Item, Kind } from "../kind.ts"
import { ofPatients } from "./of-patients.ts"
import { bedId, wardId } from "./wards.ts"

const schema = resource("Encounter", {
    id: Id,
    meta: Meta,
    status: Type.Union([Type.Literal("in-progress"), Type.Literal("finished")]),
    class: Coding,
    subject: Reference,
    location: optional(Type.Array(Type.Object({ location: Reference, status: Type.Literal("active") }))),
})

const subject = { type: "reference", path: "subject", targets: ["Patient"], isPatient: true } as const

/** The stay of each patient. */
export const encounterKind: Kind = {
    type: "Encounter",
    documentation: "The stay of a patient, with ward and bed while it lasts. The clinic does not keep when it began.",
    ...{ access: "read", audit: "patient", schema },
    parameters: {
        patient: { ...subject, definition: "clinical-patient" },
        subject: { ...subject, definition: "Encounter-subject" },
        status: {
            ...{ type: "token", path: "status", definition: "Encounter-status" },
            system: "http://hl7.org/fhir/encounter-status",
        },
        class: { type: "token", path: "class", definition: "Encounter-class" },
        location: {
            ...{ type: "reference", path: "location.location", definition: "Encounter-location" },
            targets: ["Location"],
        },
    },
    indexed: ["_id", "patient", "subject"],
    mandatory: ["status", "class"],
    summary: ["subject"],
    orders: ["_id"],
    ...ofPatients(itemOf),
}

function itemOf(patient: Patient): Item {
    const { id, active, ward, bed, updatedAt } = patient
    const places = active ? [...(ward === null ? [] : [wardId(ward)]), ...(bed === null ? [] : [bedId(ward, bed)])] : []
    const resource: Encounter = {
        resourceType: "Encounter",
        id: String(id),
        meta: { lastUpdated: new Date(updatedAt).toISOString() },
        status: active ? "in-progress" : "finished",
        class: {
            system: "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            code: "IMP",
            display: "inpatient encounter",
        },
        subject: { reference: `Patient/${id}` },
        ...(places.length > 0 && {
            location: places.map(place => ({
                location: { reference: `Location/${place}` },
                status: "active" as const,
            })),
        }),
    }
    return { resource, patients: [id], position: String(id) }
}
