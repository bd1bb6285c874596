import type { Resource } from "@medplum/fhirtypes"
import type { Kind } from "./kind.ts"
import type { Subset } from "./search/query.ts"

const subsetted = { system: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code: "SUBSETTED" }
const always = ["resourceType", "id", "meta"]

/** A resource with the elements that were asked for and those that have to be there, and a tag that says so. */
export function subsetOf(resource: Resource, kind: Kind, subset: Subset | undefined): Resource {
    // Nothing here has a text; all else is data.
    if (!subset || ("summary" in subset && subset.summary === "data")) return resource
    const asked =
        "elements" in subset ? subset.elements : subset.summary === "true" ? kind.summary : (["text"] as const)
    const kept = new Set([...always, ...kind.mandatory, ...asked])
    // A choice is asked for by its name alone.
    const isKept = (name: string) =>
        kept.has(name) ||
        [...kept].some(
            one =>
                name.startsWith(one) &&
                /^(DateTime|Period|Quantity|Boolean|CodeableConcept)$/.test(name.slice(one.length)),
        )
    const some = Object.fromEntries(Object.entries(resource).filter(([name]) => isKept(name))) as unknown as Resource
    return { ...some, meta: { ...resource.meta, tag: [subsetted] } }
}

/** With its version in it, which is when it was last updated. */
export function versioned(resource: Resource): Resource {
    const { lastUpdated } = resource.meta ?? {}
    if (lastUpdated === undefined) return resource
    return { ...resource, meta: { versionId: String(Date.parse(lastUpdated)), ...resource.meta } }
}
