import { createHash } from "node:crypto"
import type { Provenance } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { eui } from "../../../wire/keys.ts"
import { vitalNames } from "../../../wire/tables/quantities.ts"
import { CodeableConcept, Id, Instant, Meta, optional, Reference, resource } from "../../http/schemas/fhir.ts"
import { may } from "../../people/permissions.ts"
import type { MeasurementOrigin } from "../../store/measurements.ts"
import { numbers, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const Identifier = Type.Object({ system: Type.String(), value: Type.String() })
const schema = resource("Provenance", {
    id: Id,
    meta: Meta,
    target: Type.Array(Reference),
    occurredDateTime: Instant,
    recorded: Instant,
    agent: Type.Array(
        Type.Object({
            type: CodeableConcept,
            who: Type.Object({
                reference: optional(Type.String()),
                identifier: optional(Identifier),
                display: optional(Type.String()),
            }),
        }),
    ),
    entity: Type.Array(Type.Object({ role: Type.Literal("source"), what: Type.Object({ identifier: Identifier }) })),
})

/** Where what motes measured comes from: the envelope, and the router that delivered it. */
export const provenanceKind: Kind = {
    type: "Provenance",
    documentation:
        "Of an Observation that a mote measured: the envelope as EUI/boot/salt/seq and its SHA-256, when the router received it (by its clock, corrected) and which router that was. Its id is that of the Observation.",
    ...{ access: "read", audit: "vital-signs", schema },
    parameters: {
        target: { type: "reference", path: "target", definition: "Provenance-target", targets: ["Observation"] },
        recorded: { type: "date", path: "recorded", definition: "Provenance-recorded" },
        agent: { type: "reference", path: "agent.who", definition: "Provenance-agent", targets: ["Device"] },
    },
    indexed: ["target"],
    mandatory: ["target", "recorded", "agent"],
    summary: ["entity"],
    orders: ["_id"],
    async read(ids, { clinic, user }) {
        return (await clinic.observations.origins(numbers(ids))).map(origin => ({
            ...itemOf(origin),
            ...(!may(user, "read", origin.patient) && { isHidden: true as const }),
        }))
    },
    async scan({ criteria, patients, after, limit }: Scan, asking: Asking) {
        const { observations } = asking.clinic
        const ids = idsIn(criteria, "target", "_id")
        const behind = placeOf(after)
        if (ids) {
            const some = numbers(ids)
                .filter(id => id > behind)
                .sort((a, b) => a - b)
                .slice(0, limit)
            const items = (await provenanceKind.read(some.map(String), asking)).filter(({ isHidden }) => !isHidden)
            return { items, rest: some.length < limit ? undefined : String(some.at(-1)) }
        }
        const { found, rest } = await observations.stored({ after: behind, names: vitalNames, patients, limit })
        const items = (await observations.origins(found.map(({ id }) => id))).map(itemOf)
        return { items, rest: rest === undefined ? undefined : String(rest) }
    },
}

function itemOf(origin: MeasurementOrigin): Item {
    const { id, patient, kid, boot, salt, seq, bytes, receivedAt, storedAt, router } = origin
    const source = (system: string, value: string) => ({
        role: "source" as const,
        what: { identifier: { system, value } },
    })
    const stored = new Date(storedAt).toISOString()
    const resource: Provenance = {
        resourceType: "Provenance",
        id: String(id),
        meta: { lastUpdated: stored },
        target: [{ reference: `Observation/${id}` }],
        occurredDateTime: new Date(receivedAt).toISOString(),
        recorded: stored,
        agent: [
            {
                type: {
                    coding: [
                        {
                            system: "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                            code: "author",
                            display: "Author",
                        },
                    ],
                },
                who: { reference: `Device/${eui(kid)}` },
            },
            ...(router === null
                ? []
                : [
                      {
                          type: { coding: [{ system: "urn:vitalmote:role", code: "router" }], text: "router" },
                          who: { identifier: { system: "urn:vitalmote:user", value: router }, display: router },
                      },
                  ]),
        ],
        entity: [
            source("urn:vitalmote:envelope", `${eui(kid)}/${boot}/${Buffer.from(salt).toString("hex")}/${seq}`),
            source("urn:vitalmote:envelope-sha256", createHash("sha256").update(bytes).digest("hex")),
        ],
    }
    return { resource, patients: [patient], position: String(id) }
}
