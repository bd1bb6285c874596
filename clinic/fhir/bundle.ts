import type { Bundle, BundleEntry, OperationOutcome, Resource } from "@medplum/fhirtypes"

/**
 * A page of a search. `base` is the server's FHIR address, `self` the search as it was understood and `next` the one for
 * the following page, both relative to it.
 */
export function searchBundle(o: {
    base: string
    self: string
    next?: string | undefined
    matches: readonly Resource[]
    included?: readonly Resource[]
    /** What there is to say about the search. */
    outcome?: OperationOutcome | undefined
    /** Only where it was asked for: counting costs more than a page. */
    total?: number | undefined
}): Bundle {
    const { base, self, next, matches, included = [], outcome, total } = o
    const entryOf = (mode: "match" | "include") => (resource: Resource) => ({
        fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
        resource,
        search: { mode },
    })
    const entry: BundleEntry[] = [
        ...matches.map(entryOf("match")),
        ...included.map(entryOf("include")),
        ...(outcome ? [{ resource: outcome, search: { mode: "outcome" as const } }] : []),
    ]
    return {
        resourceType: "Bundle",
        type: "searchset",
        ...(total !== undefined && { total }),
        link: [
            { relation: "self", url: `${base}/${self}` },
            ...(next !== undefined ? [{ relation: "next", url: `${base}/${next}` }] : []),
        ],
        // An empty array is not allowed in FHIR.
        ...(entry.length > 0 && { entry }),
    }
}
