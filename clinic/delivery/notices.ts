import { eui } from "../../wire/keys.ts"
import { alarmKindOf } from "../../wire/tables/alarm-kinds.ts"
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
    const patient = alarm.patient === null ? undefined : await clinic.patients.get(alarm.patient)
    const { label, category } = alarmKindOf(alarm.kind)
    return {
        ...{ id: notice, phase: phase as Notice["phase"], level: alarm.level, at: madeAt },
        ...{ timeZone: clinic.timeZone, subject: { about: alarm.about, name: alarm.name } },
        alarm: {
            ...{ id, kind: alarm.kind, label, priority: alarm.priority, isTechnical: category === "technical" },
            ...{ raisedAt: alarm.raisedAt, unit: alarm.unit, value: alarm.raisedValue, worst: alarm.worstValue },
            ...{ latest: alarm.presentValue, by: alarm.acknowledgedBy, isOver: alarm.clearedAt !== null },
        },
        patient: patient
            ? {
                  ...{ id: patient.id, name: `${patient.family}, ${patient.given}` },
                  ...{ identifier: patient.identifier, bed: patient.bed, ward: patient.ward },
              }
            : null,
        mote: alarm.kid && eui(alarm.kid),
        url: alarm.patient === null ? `${baseUrl}/` : `${baseUrl}/#/patients/${alarm.patient}`,
    }
}
