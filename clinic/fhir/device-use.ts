import type { DeviceUseStatement } from "@medplum/fhirtypes"
import { eui } from "../../wire/keys.ts"
import type { Association } from "../motes/associations.ts"

/** Who wore a mote, and when: R4 has no DeviceAssociation (http://hl7.org/fhir/R4/deviceusestatement.html). */
export function toDeviceUseStatement(association: Association): DeviceUseStatement {
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
