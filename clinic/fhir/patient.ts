import type { Patient as FhirPatient } from "@medplum/fhirtypes"
import type { Patient } from "../people/patients.ts"

export function toPatient(patient: Patient): FhirPatient {
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
