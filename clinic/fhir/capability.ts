import type { CapabilityStatement } from "@medplum/fhirtypes"

type RestResource = NonNullable<NonNullable<CapabilityStatement["rest"]>[number]["resource"]>[number]

const interaction: RestResource["interaction"] = [{ code: "read" }, { code: "search-type" }]
const definitions = "http://hl7.org/fhir/SearchParameter"
const id = { name: "_id", type: "token", definition: `${definitions}/Resource-id` } as const

/** What this server can do, no more and no less. `base` is its FHIR address; `date`, when it began to. */
export function capabilityStatement(base: string, date: string): CapabilityStatement {
    return {
        resourceType: "CapabilityStatement",
        status: "active",
        date,
        kind: "instance",
        software: { name: "VitalMote clinic" },
        implementation: { description: "Vital signs of wearable motes", url: base },
        fhirVersion: "4.0.1",
        format: ["json"],
        rest: [
            {
                mode: "server",
                security: {
                    cors: false,
                    description:
                        "Authorization: Bearer with an API token, or the session of a logged-in user. Patients see their own data only.",
                },
                resource: [
                    {
                        type: "Observation",
                        supportedProfile: ["heartrate", "bodytemp", "oxygensat", "resprate", "vitalsigns"].map(
                            name => `http://hl7.org/fhir/StructureDefinition/${name}`,
                        ),
                        documentation:
                            "Heart rate, body temperature and oxygen saturation as measured; breathing rate, systolic blood pressure, oxygen and consciousness as entered by a nurse. Searches come in pages, newest first; _sort is date or -date. Dates take all prefixes. With _count=0 the matches are counted only.",
                        interaction,
                        versioning: "no-version",
                        searchParam: [
                            reference("patient", "clinical-patient"),
                            reference("subject", "Observation-subject"),
                            token("code", "clinical-code"),
                            token("category", "Observation-category"),
                            {
                                name: "date",
                                type: "date",
                                definition: `${definitions}/clinical-date`,
                            },
                        ],
                    },
                    {
                        type: "Patient",
                        interaction,
                        versioning: "no-version",
                        searchParam: [id],
                    },
                    {
                        type: "Device",
                        documentation: "The motes, with who wears each now; inactive once revoked.",
                        interaction,
                        versioning: "no-version",
                        searchParam: [id, reference("patient", "Device-patient")],
                    },
                    {
                        type: "DeviceUseStatement",
                        documentation:
                            "Who wore which mote, and when, in the order of the beginnings; completed once the mote is off, with the reason as a note. Observations belong to whom the mote was on when they were measured.",
                        interaction,
                        versioning: "no-version",
                        searchParam: [
                            id,
                            reference("patient", "DeviceUseStatement-patient"),
                            reference("subject", "DeviceUseStatement-subject"),
                            reference("device", "DeviceUseStatement-device"),
                        ],
                    },
                    {
                        type: "AuditEvent",
                        documentation:
                            "Who looked at and changed what, the newest first. agent-name is the whole name of a user. Patients see the events about themselves.",
                        interaction,
                        versioning: "no-version",
                        searchParam: [
                            reference("patient", "AuditEvent-patient"),
                            { name: "agent-name", type: "string", definition: `${definitions}/AuditEvent-agent-name` },
                            { name: "date", type: "date", definition: `${definitions}/AuditEvent-date` },
                            token("outcome", "AuditEvent-outcome"),
                        ],
                    },
                ],
            },
        ],
    }
}

function reference(name: string, definition: string) {
    return { name, type: "reference" as const, definition: `${definitions}/${definition}` }
}

function token(name: string, definition: string) {
    return { name, type: "token" as const, definition: `${definitions}/${definition}` }
}
