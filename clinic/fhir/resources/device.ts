import type { Device } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { eui } from "../../../wire/keys.ts"
import { motesSeenBy, seesMote } from "../../http/admission.ts"
import { CodeableConcept, Id, Meta, optional, Reference, resource, Uri } from "../../http/schemas/fhir.ts"
import type { Mote } from "../../motes/motes.ts"
import type { Asking, Item, Kind, Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const schema = resource("Device", {
    id: Id,
    meta: Meta,
    identifier: Type.Array(Type.Object({ system: Uri, value: Type.String() })),
    status: Type.Union([Type.Literal("active"), Type.Literal("inactive")]),
    deviceName: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
    type: CodeableConcept,
    patient: optional(Reference),
})

/** The motes. */
export const deviceKind: Kind = {
    type: "Device",
    documentation: "The motes, with who wears each now; inactive once revoked.",
    ...{ access: "read", audit: "motes", schema },
    parameters: {
        patient: {
            ...{ type: "reference", path: "patient", definition: "Device-patient" },
            ...{ targets: ["Patient"], isPatient: true },
        },
        identifier: { type: "token", path: "identifier", definition: "Device-identifier" },
        "device-name": { type: "string", path: ["deviceName.name", "type.text"], definition: "Device-device-name" },
        status: {
            ...{ type: "token", path: "status", definition: "Device-status" },
            system: "http://hl7.org/fhir/device-status",
        },
    },
    indexed: ["_id", "patient"],
    mandatory: [],
    summary: ["status", "identifier"],
    orders: ["_registered"],
    async read(ids, { clinic, user }) {
        const euis = ids.filter(id => /^[0-9a-f]{16}$/.test(id))
        const found = await Promise.all(euis.map(id => clinic.motes.get(Buffer.from(id, "hex"))))
        return found
            .filter(mote => mote !== undefined)
            .map(mote => ({ ...itemOf(mote), ...(!seesMote(user, mote) && { isHidden: true as const }) }))
    },
    async scan({ criteria, patients, after, limit }: Scan, { clinic, user }: Asking) {
        const isNamed = idsIn(criteria, "patient") !== undefined
        const ids = idsIn(criteria, "_id")
        const seen = isNamed && patients !== "all" ? { patients, nobodys: false } : motesSeenBy(user)
        const behind = placeOf(after)
        const found = (await clinic.motes.all(seen)).filter(
            mote => mote.id > behind && (ids?.includes(eui(mote.kid)) ?? true),
        )
        const items = found.slice(0, limit).map(itemOf)
        return { items, rest: found.length > limit ? items.at(-1)?.position : undefined }
    },
}

function itemOf(mote: Mote): Item {
    return {
        resource: toDevice(mote),
        patients: mote.patient === null ? [] : [mote.patient],
        position: String(mote.id),
    }
}

/** A mote, with who wears it now; it becomes inactive by revocation. */
function toDevice(mote: Mote): Device {
    const id = eui(mote.kid)
    return {
        resourceType: "Device",
        id,
        meta: { lastUpdated: new Date(mote.revokedAt ?? mote.registeredAt).toISOString() },
        identifier: [{ system: "urn:ietf:rfc:3986", value: `urn:dev:mac:${id}` }],
        status: mote.revokedAt === null ? "active" : "inactive",
        deviceName: [{ name: `VitalMote ${id}`, type: "user-friendly-name" }],
        type: { text: "Wearable vital-sign monitor" },
        ...(mote.patient !== null && { patient: { reference: `Patient/${mote.patient}` } }),
    }
}
