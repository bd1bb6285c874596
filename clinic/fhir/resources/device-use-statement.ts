import type { DeviceUseStatement } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { eui } from "../../../wire/keys.ts"
import { Id, Instant, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import { associationEnds } from "../../motes/association-end.ts"
import type { Association } from "../../motes/associations.ts"
import { may } from "../../people/permissions.ts"
import { numbers, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const schema = resource("DeviceUseStatement", {
    id: Id,
    meta: Meta,
    status: Type.Union([Type.Literal("active"), Type.Literal("completed")]),
    subject: Reference,
    timingPeriod: Type.Object({ start: Instant, end: optional(Instant) }),
    recordedOn: Instant,
    source: optional(Type.Object({ display: Type.String({ description: "User name" }) })),
    device: Reference,
    note: optional(
        Type.Array(
            Type.Object({
                authorString: optional(Type.String({ description: "User name" })),
                time: Instant,
                text: Type.Union(
                    associationEnds.map(reason => Type.Literal(reason)),
                    { description: "Why it ended" },
                ),
            }),
        ),
    ),
})

const subject = { type: "reference", path: "subject", targets: ["Patient"], isPatient: true } as const

/** Who wore which mote, and when. */
export const deviceUseStatementKind: Kind = {
    type: "DeviceUseStatement",
    documentation:
        "Who wore which mote, and when, in the order of the beginnings; completed once the mote is off, with the reason as a note. Observations belong to whom the mote was on when they were measured.",
    ...{ access: "read", audit: "motes", schema },
    parameters: {
        patient: { ...subject, definition: "DeviceUseStatement-patient" },
        subject: { ...subject, definition: "DeviceUseStatement-subject" },
        device: {
            ...{ type: "reference", path: "device", definition: "DeviceUseStatement-device", targets: ["Device"] },
            documentation: "The EUI of a mote, or Device/EUI",
        },
    },
    indexed: ["_id", "patient", "subject"],
    mandatory: ["status", "subject", "device"],
    summary: ["status", "subject", "timingPeriod", "recordedOn", "source", "device"],
    orders: ["_begun"],
    async read(ids, { clinic, user }) {
        const found = await clinic.associations.search({ ids: numbers(ids) })
        return found.map(one => ({
            ...itemOf(one),
            ...(!may(user, "read", one.patient) && { isHidden: true as const }),
        }))
    },
    async scan({ criteria, patients, after, limit }: Scan, { clinic }: Asking) {
        const ids = idsIn(criteria, "_id")
        const [device, ...others] = idsIn(criteria, "device") ?? []
        const mote = device === undefined ? undefined : await clinic.motes.get(Buffer.from(device, "hex"))
        if (device !== undefined && others.length === 0 && !mote) return { items: [], rest: undefined }
        const found = await clinic.associations.search({
            ...{ after: placeOf(after), limit },
            ...(patients !== "all" && { patients }),
            ...(ids && { ids: numbers(ids) }),
            ...(mote && others.length === 0 && { mote: mote.id }),
        })
        const items = found.map(itemOf)
        return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
    },
}

function itemOf(association: Association): Item {
    return {
        resource: toDeviceUseStatement(association),
        patients: [association.patient],
        position: String(association.id),
    }
}

/** Who wore a mote, and when: R4 has no DeviceAssociation (http://hl7.org/fhir/R4/deviceusestatement.html). */
function toDeviceUseStatement(association: Association): DeviceUseStatement {
    const { id, kid, patient, beginsAt, begunBy, endsAt, endedBy, reason } = association
    return {
        resourceType: "DeviceUseStatement",
        id: String(id),
        meta: { lastUpdated: iso(endsAt ?? beginsAt) },
        status: endsAt === null ? "active" : "completed",
        subject: { reference: `Patient/${patient}` },
        timingPeriod: { start: iso(beginsAt), ...(endsAt !== null && { end: iso(endsAt) }) },
        recordedOn: iso(beginsAt),
        ...(begunBy !== null && { source: { display: begunBy } }),
        device: { reference: `Device/${eui(kid)}` },
        ...(endsAt !== null &&
            reason !== null && {
                note: [{ ...(endedBy !== null && { authorString: endedBy }), time: iso(endsAt), text: reason }],
            }),
    }
}

function iso(ms: number): string {
    return new Date(ms).toISOString()
}
