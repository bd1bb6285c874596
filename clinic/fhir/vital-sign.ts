import type { Observation as FhirObservation } from "@medplum/fhirtypes"
import { eui } from "../../wire/keys.ts"
import { quantities, units } from "../../wire/tables/quantities.ts"
import type { Observation } from "../readings/observations.ts"
import type { Absence } from "../readings/readings.ts"
import { periodOf } from "../readings/time-filter.ts"
import { loinc, senmlNames, ucum, vitalCodes, vitalSignsCategory } from "./codes.ts"

const absenceText: Record<Absence, string> = {
    motion: "No value: the wearer moved too much to trust one",
    quality: "No value: the signal was too weak to trust one",
}

const uncalibratedNote = "Not calibrated: nobody has compared the values of this device with arterial blood."

const leftNote = "The readings themselves are kept no longer."
const relativeTimeNote = "The mote had no clock yet: the time was counted back from the arrival at the router."

/** A vital sign as the profiles of FHIR R4 want it. */
export function toObservation(observation: Observation): FhirObservation {
    const code = vitalCodes[observation.name]
    const quantity = quantities[observation.name]
    const stored = new Date(observation.storedAt).toISOString()
    const { summary, relative } = observation
    const notes = [
        ...(relative ? [relativeTimeNote] : []),
        ...("isUncalibrated" in quantity && observation.value !== null ? [uncalibratedNote] : []),
        ...(summary ? [`Mean of ${summary.count} readings from ${summary.least} to ${summary.greatest}.`] : []),
        ...(observation.isLeft ? [leftNote] : []),
    ]
    return {
        resourceType: "Observation",
        id: String(observation.id),
        meta: { lastUpdated: stored, profile: [code.profile] },
        status: "final",
        category: [{ coding: [vitalSignsCategory], text: "Vital signs" }],
        code: { coding: code.loinc.map(c => ({ system: loinc, ...c })), text: quantity.label },
        subject: { reference: `Patient/${observation.patient}` },
        ...effective(observation),
        issued: stored,
        ...valueOrReason(observation, units[quantity.unit].ucum),
        ...(notes.length > 0 && { note: notes.map(text => ({ text })) }),
        device: { reference: `Device/${eui(observation.kid)}` },
        ...(observation.quality !== null && { component: [quality(observation.quality)] }),
    }
}

/** A moment, or for a summary the time around it. */
function effective({ time, summary }: Observation): Pick<FhirObservation, "effectiveDateTime" | "effectivePeriod"> {
    const iso = (ms: number) => new Date(Math.max(0, ms)).toISOString()
    if (!summary) return { effectiveDateTime: iso(time) }
    const { from, before } = periodOf({ time, summary })
    return { effectivePeriod: { start: iso(from), end: iso(before - 1) } }
}

function valueOrReason(
    { value, absent }: Observation,
    unit: string,
): Pick<FhirObservation, "valueQuantity" | "dataAbsentReason"> {
    if (value !== null) return { valueQuantity: { value, unit, system: ucum, code: unit } }
    return {
        dataAbsentReason: {
            coding: [
                {
                    system: "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                    code: "unknown",
                    display: "Unknown",
                },
            ],
            ...(absent && { text: absenceText[absent] }),
        },
    }
}

function quality(value: number): NonNullable<FhirObservation["component"]>[number] {
    return {
        code: {
            coding: [{ system: senmlNames, code: "hr-q", display: quantities["hr-q"].label }],
            text: `${quantities["hr-q"].label}, 0 to 1`,
        },
        valueQuantity: { value, unit: "1", system: ucum, code: "1" },
    }
}
