import { associationEnds } from "../../motes/association-end.ts"
import { Type, type Static, type TProperties, type TSchema } from "@sinclair/typebox"

/*
 * The resources of FHIR R4 as this server writes them: the fields it fills in, no others.
 * The standard's own schema is at http://hl7.org/fhir/R4/fhir.schema.json.zip.
 */

export const fhirType = "application/fhir+json"

const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)
const resource = <P extends TProperties>(name: string, properties: P) =>
    Type.Object({ resourceType: Type.Literal(name), ...properties })

const Instant = Type.String({ format: "date-time" })
const Id = Type.String({ pattern: "^[A-Za-z0-9\\-.]{1,64}$" })
const Uri = Type.String({ format: "uri" })
const Coding = Type.Object({ system: Uri, code: Type.String(), display: optional(Type.String()) })
const CodeableConcept = Type.Object({ coding: optional(Type.Array(Coding)), text: optional(Type.String()) })
const Quantity = Type.Object({ value: Type.Number(), unit: Type.String(), system: Uri, code: Type.String() })
const Reference = Type.Object({ reference: Type.String({ description: "Relative, such as Patient/7" }) })
const Meta = Type.Object({ lastUpdated: Instant, profile: optional(Type.Array(Uri)) })

export const Observation = resource("Observation", {
    id: Id,
    meta: Meta,
    status: Type.Literal("final"),
    category: Type.Array(CodeableConcept),
    code: CodeableConcept,
    subject: Reference,
    effectiveDateTime: optional(Instant),
    effectivePeriod: optional(Type.Object({ start: Instant, end: Instant })),
    issued: Instant,
    performer: optional(Type.Array(Type.Object({ display: Type.String({ description: "User name" }) }))),
    valueQuantity: optional(Quantity),
    valueBoolean: optional(Type.Boolean()),
    valueCodeableConcept: optional(CodeableConcept),
    dataAbsentReason: optional(CodeableConcept),
    note: optional(Type.Array(Type.Object({ text: Type.String() }))),
    device: optional(Reference),
    component: optional(
        Type.Array(
            Type.Object({
                code: CodeableConcept,
                valueQuantity: optional(Quantity),
                dataAbsentReason: optional(CodeableConcept),
            }),
        ),
    ),
})

export const Patient = resource("Patient", {
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

export const Device = resource("Device", {
    id: Id,
    meta: Meta,
    identifier: Type.Array(Type.Object({ system: Uri, value: Type.String() })),
    status: Type.Union([Type.Literal("active"), Type.Literal("inactive")]),
    deviceName: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
    type: CodeableConcept,
    patient: optional(Reference),
})

export const DeviceUseStatement = resource("DeviceUseStatement", {
    id: Id,
    meta: Meta,
    status: Type.Union([Type.Literal("active"), Type.Literal("completed")]),
    subject: Reference,
    timingPeriod: Type.Object({ start: Instant, end: optional(Instant) }),
    recordedOn: Instant,
    source: optional(Type.Object({ display: Type.String({ description: "User name" }) })),
    device: Reference,
    note: optional(
        Type.Array(
            Type.Object({
                authorString: optional(Type.String({ description: "User name" })),
                time: Instant,
                text: Type.Union(
                    associationEnds.map(reason => Type.Literal(reason)),
                    { description: "Why it ended" },
                ),
            }),
        ),
    ),
})

const Text = Type.String()
export const AuditEvent = resource("AuditEvent", {
    id: Id,
    type: Coding,
    subtype: Type.Array(Coding, { description: "What it is about: `urn:vitalmote:audit-subject`, `-action`" }),
    action: Type.Union(["C", "R", "U", "D", "E"].map(code => Type.Literal(code))),
    recorded: Instant,
    purposeOfEvent: optional(
        Type.Array(CodeableConcept, {
            description: "`BTG`: by a patient of another ward who was opened with a reason",
        }),
    ),
    outcome: optional(Type.Union(["0", "4", "8"].map(code => Type.Literal(code)))),
    outcomeDesc: optional(Type.String({ description: "The code of a problem" })),
    agent: Type.Array(
        Type.Object({
            role: optional(Type.Array(CodeableConcept)),
            who: Type.Object({
                identifier: optional(Type.Object({ system: Uri, value: Text })),
                display: Text,
            }),
            altId: optional(Type.String({ description: "`session 12`, `token 3` or `local`" })),
            name: optional(Text),
            requestor: Type.Boolean(),
            network: optional(Type.Object({ address: Text, type: Type.Literal("2") })),
        }),
    ),
    source: Type.Object({ observer: Type.Object({ display: Text }), type: Type.Array(Coding) }),
    entity: optional(
        Type.Array(
            Type.Object({
                what: optional(Reference),
                type: Coding,
                role: optional(Coding),
                name: optional(Type.String({ description: "Method and path" })),
                detail: optional(Type.Array(Type.Object({ type: Text, valueString: Text }))),
            }),
        ),
    ),
})

export type AuditEvent = Static<typeof AuditEvent>
/** A page of them. */
export interface AuditEvents {
    link: { relation: string; url: string }[]
    entry?: { resource: AuditEvent }[]
}

/** A page of a search. */
export const Bundle = (found: TSchema) =>
    resource("Bundle", {
        type: Type.Literal("searchset"),
        total: optional(Type.Integer({ minimum: 0, description: "Only with _count=0" })),
        link: Type.Array(Type.Object({ relation: Type.Union([Type.Literal("self"), Type.Literal("next")]), url: Uri })),
        entry: optional(
            Type.Array(
                Type.Object({ fullUrl: Uri, resource: found, search: Type.Object({ mode: Type.Literal("match") }) }),
                { minItems: 1 },
            ),
        ),
    })

export const OperationOutcome = resource("OperationOutcome", {
    issue: Type.Array(
        Type.Object({
            severity: Type.Literal("error"),
            code: Type.String(),
            details: CodeableConcept,
            diagnostics: Type.String(),
            location: optional(Type.Array(Type.String())),
        }),
        { minItems: 1 },
    ),
})

const SearchParameter = Type.Object({ name: Type.String(), type: Type.String(), definition: Uri })

export const CapabilityStatement = resource("CapabilityStatement", {
    status: Type.Literal("active"),
    date: Instant,
    kind: Type.Literal("instance"),
    software: Type.Object({ name: Type.String() }),
    implementation: Type.Object({ description: Type.String(), url: Uri }),
    fhirVersion: Type.Literal("4.0.1"),
    format: Type.Array(Type.String()),
    rest: Type.Array(
        Type.Object({
            mode: Type.Literal("server"),
            security: Type.Object({ cors: Type.Boolean(), description: Type.String() }),
            resource: Type.Array(
                Type.Object({
                    type: Type.String(),
                    supportedProfile: optional(Type.Array(Uri)),
                    documentation: optional(Type.String()),
                    interaction: Type.Array(Type.Object({ code: Type.String() })),
                    versioning: Type.String(),
                    searchParam: Type.Array(SearchParameter),
                }),
            ),
        }),
    ),
})

const paging = {
    _count: optional(Type.String({ pattern: "^[0-9]{1,9}$", description: "Matches a page, at most 1000" })),
    _cursor: optional(Type.String({ description: "From the `next` link" })),
    _format: optional(Type.String({ description: "json" })),
}
const patient = optional(Type.String({ description: "`7` or `Patient/7`; several with commas" }))
const _id = optional(Type.String({ description: "Several with commas" }))

export const ObservationQuery = Type.Object({
    patient,
    subject: patient,
    code: optional(Type.String({ description: "LOINC, with or without `http://loinc.org|`; several with commas" })),
    category: optional(Type.String({ description: "vital-signs" })),
    date: optional(Type.String({ description: "With a prefix of FHIR search; may come several times, all must hold" })),
    _sort: optional(Type.Union([Type.Literal("date"), Type.Literal("-date")])),
    ...paging,
})
export const AuditEventQuery = Type.Object({
    patient,
    "agent-name": optional(Type.String({ description: "A user's whole name; `agent` does the same" })),
    agent: optional(Type.String()),
    date: optional(Type.String({ description: "As of Observation" })),
    outcome: optional(Type.String({ description: "`0` done, `4` refused, `8` failed; several with commas" })),
    ...paging,
})
export const PatientQuery = Type.Object({ _id, ...paging })
export const DeviceUseQuery = Type.Object({
    ...{ _id, patient, subject: patient },
    device: optional(Type.String({ description: "The EUI of a mote, or `Device/EUI`" })),
    ...paging,
})
export const DeviceQuery = Type.Object({ _id, patient, ...paging })
