import type { Device } from "@medplum/fhirtypes"
import { eui } from "../../wire/keys.ts"
import type { Mote } from "../motes/motes.ts"

/** A mote, with who wears it now; it becomes inactive by revocation. */
export function toDevice(mote: Mote): Device {
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
