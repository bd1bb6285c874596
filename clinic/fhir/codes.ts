import type { VitalName } from "../../wire/tables/quantities.ts"

export const loinc = "http://loinc.org"
export const snomed = "http://snomed.info/sct"
export const ucum = "http://unitsofmeasure.org"
/** SenML names as codes, for what no public code system has. */
export const senmlNames = "urn:vitalmote:senml"

export interface VitalCode {
    /** LOINC, the profile's own code first. */
    loinc: readonly { code: string; display: string }[]
    /** The profile of http://hl7.org/fhir/R4/observation-vitalsigns.html. */
    profile: string
}

const profiles = "http://hl7.org/fhir/StructureDefinition"

export const vitalCodes: Record<VitalName, VitalCode> = {
    hr: {
        loinc: [{ code: "8867-4", display: "Heart rate" }],
        profile: `${profiles}/heartrate`,
    },
    temp: {
        loinc: [{ code: "8310-5", display: "Body temperature" }],
        profile: `${profiles}/bodytemp`,
    },
    spo2: {
        loinc: [
            { code: "2708-6", display: "Oxygen saturation in Arterial blood" },
            { code: "59408-5", display: "Oxygen saturation in Arterial blood by Pulse oximetry" },
        ],
        profile: `${profiles}/oxygensat`,
    },
}

export const vitalSignsCategory = {
    system: "http://terminology.hl7.org/CodeSystem/observation-category",
    code: "vital-signs",
    display: "Vital Signs",
}
