import type { Location } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { CodeableConcept, Id, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import type { Asking, Item, Kind, Scan } from "../kind.ts"
import { listed } from "./listed.ts"
import { bedId, onWards, wardId } from "./wards.ts"

const schema = resource("Location", {
    id: Id,
    meta: optional(Meta),
    status: Type.Literal("active"),
    name: Type.String(),
    mode: Type.Literal("instance"),
    physicalType: CodeableConcept,
    partOf: optional(Reference),
})

const physicalType = (code: "wa" | "bd", display: string) => ({
    coding: [{ system: "http://terminology.hl7.org/CodeSystem/location-physical-type", code, display }],
})

/** Wards and beds. */
export const locationKind: Kind = {
    type: "Location",
    documentation: "The wards and beds that somebody is in now, whom one sees.",
    ...{ access: "read", audit: "ward", schema },
    parameters: {
        name: { type: "string", path: "name", definition: "Location-name" },
        partof: { type: "reference", path: "partOf", definition: "Location-partof", targets: ["Location"] },
        status: {
            ...{ type: "token", path: "status", definition: "Location-status" },
            system: "http://hl7.org/fhir/location-status",
        },
    },
    indexed: [],
    mandatory: [],
    summary: ["status", "name", "mode"],
    orders: ["_id"],
    read: async (ids, asking) => (await all(asking)).filter(({ position }) => ids.includes(position)),
    scan: async (scan: Scan, asking: Asking) => listed(await all(asking), scan),
}

async function all(asking: Asking): Promise<Item[]> {
    const places = new Map<string, Location>()
    for (const { ward, bed } of await onWards(asking)) {
        const of = { resourceType: "Location", status: "active", mode: "instance" } as const
        if (ward !== null)
            places.set(wardId(ward), { ...of, id: wardId(ward), name: ward, physicalType: physicalType("wa", "Ward") })
        if (bed === null) continue
        const id = bedId(ward, bed)
        const partOf = ward !== null && { partOf: { reference: `Location/${wardId(ward)}` } }
        places.set(id, { ...of, id, name: bed, physicalType: physicalType("bd", "Bed"), ...partOf })
    }
    return [...places].map(([position, resource]) => ({ resource, patients: [], position }))
}
