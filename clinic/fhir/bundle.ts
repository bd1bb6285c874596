import type { AuditEvent, Bundle, Device, DeviceUseStatement, Observation, Patient } from "@medplum/fhirtypes"

export type SearchResult = Observation | Patient | Device | DeviceUseStatement | AuditEvent

/**
 * A page of a search. `base` is the server's FHIR address, `self` the search as it was understood and `next` the one for
 * the following page, both relative to it.
 */
export function searchBundle(o: {
    base: string
    self: string
    next?: string
    found: SearchResult[]
    /** Only where it was asked for: counting costs more than a page. */
    total?: number
}): Bundle<SearchResult> {
    const link = [{ relation: "self", url: `${o.base}/${o.self}` }]
    if (o.next !== undefined) link.push({ relation: "next", url: `${o.base}/${o.next}` })
    return {
        resourceType: "Bundle",
        type: "searchset",
        ...(o.total !== undefined && { total: o.total }),
        link,
        // An empty array is not allowed in FHIR.
        ...(o.found.length > 0 && {
            entry: o.found.map(resource => ({
                fullUrl: `${o.base}/${resource.resourceType}/${resource.id}`,
                resource,
                search: { mode: "match" as const },
            })),
        }),
    }
}
