import type { Patient as FhirPatient } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { Id, Meta, optional, resource } from "../../http/schemas/fhir.ts"
import type { Patient } from "../../people/patients.ts"
import { commonParameters, type Item, type Kind } from "../kind.ts"
import { ofPatients } from "./of-patients.ts"

const schema = resource("Patient", {
    id: Id,
    meta: Meta,
    identifier: optional(Type.Array(Type.Object({ use: Type.String(), value: Type.String() }))),
    active: Type.Boolean(),
    name: Type.Array(
        Type.Object({
            use: Type.String(),
            text: Type.String(),
            family: Type.String(),
            given: Type.Array(Type.String()),
        }),
    ),
    gender: optional(Type.String()),
    birthDate: optional(Type.String({ format: "date" })),
})

/** Who is, or was, on a ward. */
export const patientKind: Kind = {
    type: "Patient",
    documentation: "Who is on a ward; inactive once discharged.",
    ...{ access: "read", audit: "patient", schema, operations: ["everything"] },
    parameters: {
        _id: { ...commonParameters._id!, isPatient: true },
        identifier: { type: "token", path: "identifier", definition: "Patient-identifier" },
        name: { type: "string", path: "name", definition: "Patient-name" },
        family: { type: "string", path: "name.family", definition: "individual-family" },
        given: { type: "string", path: "name.given", definition: "individual-given" },
        birthdate: { type: "date", path: "birthDate", definition: "individual-birthdate" },
        gender: {
            ...{ type: "token", path: "gender", definition: "individual-gender" },
            system: "http://hl7.org/fhir/administrative-gender",
        },
        active: { type: "token", path: "active", definition: "Patient-active" },
    },
    indexed: ["_id"],
    mandatory: [],
    summary: ["identifier", "active", "name", "gender", "birthDate"],
    orders: ["_id"],
    ...ofPatients(itemOf),
}

function itemOf(patient: Patient): Item {
    return { resource: toPatient(patient), patients: [patient.id], position: String(patient.id) }
}

function toPatient(patient: Patient): FhirPatient {
    const { given, family, birthDate, gender, identifier } = patient
    return {
        resourceType: "Patient",
        id: String(patient.id),
        meta: { lastUpdated: new Date(patient.updatedAt).toISOString() },
        ...(identifier !== null && { identifier: [{ use: "usual", value: identifier }] }),
        active: patient.active,
        name: [{ use: "official", text: `${given} ${family}`, family, given: [given] }],
        ...(gender !== null && { gender }),
        ...(birthDate !== null && { birthDate }),
    }
}
