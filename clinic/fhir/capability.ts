import type { CapabilityStatement } from "@medplum/fhirtypes"
import type { Kind } from "./kind.ts"
import { parametersOf } from "./search/query.ts"

type RestResource = NonNullable<NonNullable<CapabilityStatement["rest"]>[number]["resource"]>[number]

const interaction: RestResource["interaction"] = [{ code: "read" }, { code: "vread" }, { code: "search-type" }]
const definitions = "http://hl7.org/fhir/SearchParameter"

/** What this server can do, no more and no less. `base` is its FHIR address; `date`, when it began to. */
export function capabilityStatement(kinds: readonly Kind[], base: string, date: string): CapabilityStatement {
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
                resource: kinds.map(kind => resource(kind, kinds)),
            },
        ],
    }
}

function resource(kind: Kind, kinds: readonly Kind[]): RestResource {
    const { type, documentation, profiles, operations } = kind
    const searchInclude = references(kind).map(([name]) => `${type}:${name}`)
    const searchRevInclude = kinds.flatMap(from =>
        references(from)
            .filter(([, { targets = [] }]) => targets.includes(type))
            .map(([name]) => `${from.type}:${name}`),
    )
    return {
        type: type as RestResource["type"],
        ...(profiles && { supportedProfile: profiles.map(name => `http://hl7.org/fhir/StructureDefinition/${name}`) }),
        documentation,
        interaction,
        versioning: "versioned",
        readHistory: false,
        ...(searchInclude.length > 0 && { searchInclude }),
        ...(searchRevInclude.length > 0 && { searchRevInclude }),
        searchParam: parametersOf(kind).map(([name, { type, definition, documentation }]) => ({
            ...{ name, type, definition: `${definitions}/${definition}` },
            ...(documentation !== undefined && { documentation }),
        })),
        ...(operations && {
            operation: operations.map(name => ({
                name,
                definition: `http://hl7.org/fhir/OperationDefinition/${type}-${name}`,
            })),
        }),
    }
}

function references(kind: Kind) {
    return Object.entries(kind.parameters).filter(([, { type }]) => type === "reference")
}
