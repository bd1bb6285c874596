import type { DeviceMetric } from "@medplum/fhirtypes"
import { Type } from "@sinclair/typebox"
import { eui } from "../../../wire/keys.ts"
import { quantities, units, vitalNames, type VitalName } from "../../../wire/tables/quantities.ts"
import { motesSeenBy, seesMote } from "../../http/admission.ts"
import { CodeableConcept, Id, Meta, resource, Reference } from "../../http/schemas/fhir.ts"
import type { Mote } from "../../motes/motes.ts"
import { ucum } from "../codes.ts"
import type { Asking, Item, Kind, Scan } from "../kind.ts"
import { idsIn } from "../search/narrow.ts"
import { listed } from "./listed.ts"

const schema = resource("DeviceMetric", {
    id: Id,
    meta: Meta,
    type: CodeableConcept,
    unit: CodeableConcept,
    source: Reference,
    category: Type.Literal("measurement"),
})

/** ISO/IEEE 11073-10101. */
const mdc: Record<VitalName, { code: string; display: string }> = {
    hr: { code: "149530", display: "MDC_PULS_OXIM_PULS_RATE" },
    spo2: { code: "150456", display: "MDC_PULS_OXIM_SAT_O2" },
    temp: { code: "150364", display: "MDC_TEMP_BODY" },
}

/** What each mote can measure. */
export const deviceMetricKind: Kind = {
    type: "DeviceMetric",
    documentation:
        "What a mote measures, with codes of ISO/IEEE 11073. Some motes have no thermometer; nothing says so here.",
    ...{ access: "read", audit: "motes", schema },
    parameters: {
        source: { type: "reference", path: "source", definition: "DeviceMetric-source", targets: ["Device"] },
        type: { type: "token", path: "type", definition: "DeviceMetric-type" },
        category: {
            ...{ type: "token", path: "category", definition: "DeviceMetric-category" },
            system: "http://hl7.org/fhir/metric-category",
        },
    },
    indexed: [],
    mandatory: ["type", "category"],
    summary: ["unit", "source"],
    orders: ["_id"],
    async read(ids, { clinic, user }) {
        const items: Item[] = []
        for (const id of ids) {
            const [, kid, name] = /^([0-9a-f]{16})-([a-z0-9]+)$/.exec(id) ?? []
            const mote = kid === undefined ? undefined : await clinic.motes.get(Buffer.from(kid, "hex"))
            const vital = vitalNames.find(vital => vital === name)
            if (mote && vital) items.push({ ...itemOf(mote, vital), ...(!seesMote(user, mote) && { isHidden: true }) })
        }
        return items
    },
    async scan(scan: Scan, { clinic, user }: Asking) {
        const sources = idsIn(scan.criteria, "source")
        const motes = (await clinic.motes.all(motesSeenBy(user))).filter(
            ({ kid }) => sources?.includes(eui(kid)) ?? true,
        )
        return listed(
            motes.flatMap(mote => vitalNames.map(name => itemOf(mote, name))),
            scan,
        )
    },
}

function itemOf(mote: Mote, name: VitalName): Item {
    const id = `${eui(mote.kid)}-${name}`
    const unit = units[quantities[name].unit].ucum
    const resource: DeviceMetric = {
        resourceType: "DeviceMetric",
        id,
        meta: { lastUpdated: new Date(mote.registeredAt).toISOString() },
        type: { coding: [{ system: "urn:iso:std:iso:11073:10101", ...mdc[name] }], text: quantities[name].label },
        unit: { coding: [{ system: ucum, code: unit }] },
        source: { reference: `Device/${eui(mote.kid)}` },
        category: "measurement",
    }
    return { resource, patients: mote.patient === null ? [] : [mote.patient], position: id }
}
