import type { Group } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { Id, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import type { Asking, Item, Kind, Scan } from "../kind.ts"
import { listed } from "./listed.ts"
import { onWards, wardId } from "./wards.ts"

const schema = resource("Group", {
    id: Id,
    meta: optional(Meta),
    active: Type.Boolean(),
    type: Type.Literal("person"),
    actual: Type.Literal(true),
    name: Type.String(),
    quantity: Type.Integer(),
    member: Type.Array(Type.Object({ entity: Reference })),
})

/** Who is on a ward. */
export const groupKind: Kind = {
    type: "Group",
    documentation: "The patients of a ward, now; its id is that of the Location.",
    ...{ access: "read", audit: "ward", schema },
    parameters: {
        member: {
            ...{ type: "reference", path: "member.entity", definition: "Group-member" },
            ...{ targets: ["Patient"], isPatient: true },
        },
        type: {
            ...{ type: "token", path: "type", definition: "Group-type" },
            system: "http://hl7.org/fhir/group-type",
        },
    },
    indexed: [],
    mandatory: ["type", "actual"],
    summary: ["active", "name", "quantity"],
    orders: ["_id"],
    read: async (ids, asking) => (await all(asking)).filter(({ position }) => ids.includes(position)),
    scan: async (scan: Scan, asking: Asking) => listed(await all(asking), scan),
}

async function all(asking: Asking): Promise<Item[]> {
    const wards = new Map<string, number[]>()
    for (const { id, ward } of await onWards(asking))
        if (ward !== null) wards.set(ward, [...(wards.get(ward) ?? []), id])
    return [...wards].map(([name, patients]) => {
        const resource: Group = {
            resourceType: "Group",
            id: wardId(name),
            active: true,
            type: "person",
            actual: true,
            name,
            quantity: patients.length,
            member: patients.map(id => ({ entity: { reference: `Patient/${id}` } })),
        }
        return { resource, patients, position: wardId(name) }
    })
}
