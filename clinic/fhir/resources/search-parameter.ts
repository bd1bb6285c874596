import type { SearchParameter } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { Id, Meta, optional, resource, Uri } from "../../http/schemas/fhir.ts"
import type { Asking, Item, Kind, Parameter, Scan } from "../kind.ts"
import { parametersOf } from "../search/query.ts"

const Text = Type.String()
const schema = resource("SearchParameter", {
    id: Id,
    meta: optional(Meta),
    url: Uri,
    name: Text,
    status: Type.Literal("active"),
    description: Text,
    derivedFrom: Uri,
    code: Text,
    base: Type.Array(Text),
    type: Text,
    expression: Text,
    target: optional(Type.Array(Text)),
    multipleOr: Type.Boolean(),
    multipleAnd: Type.Boolean(),
    modifier: optional(Type.Array(Text)),
})

const modifiers: Record<Parameter["type"], readonly ("missing" | "not" | "exact" | "contains")[]> = {
    ...{ token: ["missing", "not"], string: ["missing", "exact", "contains"] },
    ...{ date: ["missing"], reference: ["missing"], quantity: ["missing"] },
}

/** The search parameters of the kinds, as resources of their own. */
export function searchParameterKind(kinds: readonly Kind[]): Kind {
    const all = (base: string) =>
        kinds
            .flatMap(kind =>
                parametersOf(kind).map(([name, parameter]) => toSearchParameter(kind, name, parameter, base)),
            )
            .map((resource): Item => ({ resource, patients: [], position: resource.id! }))
            .sort((a, b) => (a.position < b.position ? -1 : 1))
    return {
        type: "SearchParameter",
        documentation: "The parameters that searches take here.",
        ...{ access: "use-session", audit: "none", schema },
        parameters: {
            url: { type: "token", path: "url", definition: "conformance-url" },
            code: { type: "token", path: "code", definition: "SearchParameter-code" },
            base: { type: "token", path: "base", definition: "SearchParameter-base" },
            type: { type: "token", path: "type", definition: "SearchParameter-type" },
        },
        indexed: [],
        mandatory: ["url", "name", "status", "description", "code", "base", "type"],
        summary: ["derivedFrom"],
        orders: ["_id"],
        read: (ids, { base }) => Promise.resolve(all(base).filter(({ position }) => ids.includes(position))),
        scan: ({ after = "", limit }: Scan, { base }: Asking) => {
            const items = all(base).filter(({ position }) => position > after)
            const rest = items.length > limit ? items[limit - 1]!.position : undefined
            return Promise.resolve({ items: items.slice(0, limit), rest })
        },
    }
}

function toSearchParameter(kind: Kind, name: string, parameter: Parameter, base: string): SearchParameter {
    const { type, path, targets, definition, documentation } = parameter
    const id = `${kind.type}-${name.replace(/^_/, "")}`
    const paths = typeof path === "string" ? [path] : path
    return {
        resourceType: "SearchParameter",
        id,
        url: `${base}/SearchParameter/${id}`,
        name: `${kind.type} ${name}`,
        status: "active",
        description: documentation ?? `${kind.type} by ${name}`,
        derivedFrom: `http://hl7.org/fhir/SearchParameter/${definition}`,
        code: name,
        base: [kind.type],
        type,
        expression: paths.map(path => `${kind.type}.${path.replaceAll("[x]", "")}`).join(" | "),
        ...(targets && { target: [...targets] }),
        multipleOr: true,
        multipleAnd: true,
        modifier: [...modifiers[type]],
    }
}
