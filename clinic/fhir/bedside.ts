import type { CodeableConcept, Observation as FhirObservation } from "@medplum/fhirtypes"
import { bedsideKinds, consciousnessLevels, type BedsideName, type Consciousness } from "../../wire/tables/bedside.ts"
import type { BedsideObservation } from "../readings/bedside.ts"
import { loinc, snomed, ucum, vitalSignsCategory } from "./codes.ts"

const profiles = "http://hl7.org/fhir/StructureDefinition"

/** What each is called; LOINC has no yes or no for oxygen. */
export const bedsideCodes: Record<BedsideName, { system: string; code: string; display: string }> = {
    respiration: { system: loinc, code: "9279-1", display: "Respiratory rate" },
    systolic: { system: loinc, code: "85354-9", display: "Blood pressure panel with all children optional" },
    oxygen: { system: snomed, code: "371825009", display: "Patient on oxygen" },
    consciousness: { system: loinc, code: "67775-7", display: "Level of responsiveness" },
}

const levelCodes: Record<Consciousness, { code: string; display: string }> = {
    alert: { code: "248234008", display: "Mentally alert" },
    confusion: { code: "130987000", display: "Acute confusion" },
    voice: { code: "300202002", display: "Response to voice" },
    pain: { code: "450847001", display: "Responds to pain" },
    unresponsive: { code: "422768004", display: "Unresponsive" },
}

/** What a nurse observed, as the profiles of FHIR R4 want it where there is one. */
export function fromBedside({ id, patient, name, value, time, storedAt, by }: BedsideObservation): FhirObservation {
    const stored = new Date(storedAt).toISOString()
    return {
        resourceType: "Observation",
        id: String(id),
        meta: { lastUpdated: stored, profile: [profileOf(name)] },
        status: "final",
        category: [{ coding: [vitalSignsCategory], text: "Vital signs" }],
        code: { coding: [bedsideCodes[name]], text: bedsideKinds[name].label },
        subject: { reference: `Patient/${patient}` },
        effectiveDateTime: new Date(time).toISOString(),
        issued: stored,
        performer: [{ display: by }],
        ...valueOf(name, value),
    }
}

function profileOf(name: BedsideName): string {
    return `${profiles}/${name === "respiration" ? "resprate" : "vitalsigns"}`
}

function valueOf(name: BedsideName, value: number): Partial<FhirObservation> {
    if (name === "oxygen") return { valueBoolean: value === 1 }
    if (name === "consciousness") {
        const level = consciousnessLevels[value]!
        return { valueCodeableConcept: { coding: [{ system: snomed, ...levelCodes[level] }], text: level } }
    }
    const { ucum: code } = bedsideKinds[name]
    const valueQuantity = { value, unit: code, system: ucum, code }
    if (name === "respiration") return { valueQuantity }
    const diastolic = { coding: [{ system: loinc, code: "8462-4", display: "Diastolic blood pressure" }] }
    return {
        component: [
            {
                code: { coding: [{ system: loinc, code: "8480-6", display: "Systolic blood pressure" }] },
                valueQuantity,
            },
            { code: diastolic, dataAbsentReason: notPerformed },
        ],
    }
}

/** NEWS2 asks for the systolic pressure alone. */
const notPerformed: CodeableConcept = {
    coding: [
        {
            system: "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            code: "not-performed",
            display: "Not Performed",
        },
    ],
}
