import { eui } from "../../wire/keys.ts"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
import { isVitalName } from "../../wire/tables/quantities.ts"
import type { Clinic } from "../clinic.ts"
import type { StoredDelivery } from "../store/deliveries.ts"
import type { Notice } from "./notice.ts"

/** What there is to tell about an alarm now; undefined where the clinic does not know it any more. */
export async function describe(
    clinic: Clinic,
    baseUrl: string,
    id: number,
    { notice, phase, madeAt }: Pick<StoredDelivery, "notice" | "phase" | "madeAt">,
): Promise<Notice | undefined> {
    const alarm = await clinic.alarms.get(id)
    if (!alarm) return undefined
    const patient = await clinic.patients.get(alarm.patient)
    const { label, category, priority, cause } = alarmKindOf(alarm.kind)
    const quantity = "quantity" in cause ? cause.quantity : undefined
    const newest =
        quantity !== undefined && isVitalName(quantity)
            ? await clinic.observations.newest(alarm.patient, quantity)
            : undefined
    return {
        ...{ id: notice, phase: phase as Notice["phase"], level: 0, at: madeAt },
        alarm: {
            ...{ id, kind: alarm.kind, label, priority, isTechnical: category === "technical" },
            ...{ raisedAt: alarm.raisedAt, unit: alarm.unit, value: alarm.raisedValue, by: alarm.acknowledgedBy },
            ...{ latest: newest?.value ?? null, isOver: alarm.clearedAt !== null },
        },
        patient: patient
            ? {
                  ...{ id: patient.id, name: `${patient.family}, ${patient.given}` },
                  ...{ identifier: patient.identifier, bed: patient.bed, ward: null },
              }
            : null,
        mote: eui(alarm.kid),
        url: `${baseUrl}/#/patients/${alarm.patient}`,
    }
}
