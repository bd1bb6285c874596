import { Type, type Static, type TObject, type TProperties, type TSchema } from "@sinclair/typebox"

/*
 * The resources of FHIR R4 as this server writes them: the fields it fills in, no others.
 * The standard's own schema is at http://hl7.org/fhir/R4/fhir.schema.json.zip.
 */

export const fhirType = "application/fhir+json"

export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)
export const resource = <P extends TProperties>(name: string, properties: P) =>
    Type.Object({ resourceType: Type.Literal(name), ...properties })

export const Instant = Type.String({ format: "date-time" })
export const Id = Type.String({ pattern: "^[A-Za-z0-9\\-.]{1,64}$" })
export const Uri = Type.String({ format: "uri" })
export const Coding = Type.Object({ system: Uri, code: Type.String(), display: optional(Type.String()) })
export const CodeableConcept = Type.Object({ coding: optional(Type.Array(Coding)), text: optional(Type.String()) })
export const Quantity = Type.Object({ value: Type.Number(), unit: Type.String(), system: Uri, code: Type.String() })
export const Reference = Type.Object({ reference: Type.String({ description: "Relative, such as Patient/7" }) })
export const Meta = Type.Object({
    versionId: optional(Id),
    lastUpdated: optional(Instant),
    profile: optional(Type.Array(Uri)),
    tag: optional(Type.Array(Coding, { description: "SUBSETTED where elements were left out" })),
})

const Text = Type.String()
export const AuditEvent = resource("AuditEvent", {
    id: Id,
    meta: Meta,
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

export const OperationOutcome = resource("OperationOutcome", {
    issue: Type.Array(
        Type.Object({
            severity: Type.Union([Type.Literal("error"), Type.Literal("warning")]),
            code: Type.String(),
            details: optional(CodeableConcept),
            diagnostics: Type.String(),
            location: optional(Type.Array(Type.String())),
        }),
        { minItems: 1 },
    ),
})

/** A resource without the elements that nobody asked for (`_summary`, `_elements`). */
export const Subset = (whole: TObject) => Type.Composite([Type.Partial(whole), Type.Pick(whole, ["resourceType"])])

/** A page of a search: what was found, what was to be included, and what there is to say about the search. */
export const Bundle = (found: readonly TObject[]) =>
    resource("Bundle", {
        type: Type.Literal("searchset"),
        total: optional(Type.Integer({ minimum: 0, description: "Where it was asked for" })),
        link: Type.Array(Type.Object({ relation: Type.Union([Type.Literal("self"), Type.Literal("next")]), url: Uri })),
        entry: optional(
            Type.Array(
                Type.Union([
                    Type.Object({
                        fullUrl: Uri,
                        resource: Type.Union(found.map(Subset)),
                        search: Type.Object({ mode: Type.Union([Type.Literal("match"), Type.Literal("include")]) }),
                    }),
                    Type.Object({ resource: OperationOutcome, search: Type.Object({ mode: Type.Literal("outcome") }) }),
                ]),
                { minItems: 1 },
            ),
        ),
    })

const SearchParam = Type.Object({
    name: Type.String(),
    type: Type.String(),
    definition: Uri,
    documentation: optional(Type.String()),
})

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
                    readHistory: Type.Boolean(),
                    searchInclude: optional(Type.Array(Type.String())),
                    searchRevInclude: optional(Type.Array(Type.String())),
                    searchParam: Type.Array(SearchParam),
                    operation: optional(Type.Array(Type.Object({ name: Type.String(), definition: Uri }))),
                }),
            ),
        }),
    ),
})
