import type { VitalName } from "../../wire/tables/quantities.ts"
import { now } from "./clock.ts"
import { liveMs } from "./format.ts"
import { isAhead, isNewer } from "./time.ts"
import type { Alarm, Observation, Ward, WardPatient } from "./api.ts"
import { t } from "./texts/language.ts"
import { byUrgency } from "./urgency.ts"

/** The ward as this page knows it: the newest of everything. */
export class WardModel {
    private patients = new Map<number, { patient: WardPatient; newest: Map<string, Observation> }>()

    private sorted: WardPatient[] | undefined
    private wardNames: string[] | undefined
    private readonly openAlarms = new Map<number, Alarm>()
    /** The same, the most urgent first; made when it is asked for. */
    private sortedAlarms: Alarm[] | undefined

    /** All others are over. */
    keepAlarms(ids: readonly number[]): void {
        const open = new Set(ids)
        for (const id of this.openAlarms.keys()) if (!open.has(id)) this.openAlarms.delete(id)
        this.sortedAlarms = undefined
    }

    setAlarm(alarm: Alarm): void {
        if (alarm.isOpen) this.openAlarms.set(alarm.id, alarm)
        else this.openAlarms.delete(alarm.id)
        this.sortedAlarms = undefined
    }

    /** Those that belong on the screen, the most urgent first; of one patient, or of everybody. */
    alarms(patient?: number): Alarm[] {
        this.sortedAlarms ??= [...this.openAlarms.values()].sort(byUrgency)
        return this.sortedAlarms.filter(
            alarm =>
                (alarm.patient === null || this.patients.has(alarm.patient)) &&
                (patient ?? alarm.patient) === alarm.patient,
        )
    }

    /** Whom or what an alarm is about. */
    about({ patient, name }: Alarm): string {
        return patient === null ? (name ?? t.alarms.clinic) : this.name(patient)
    }

    /** `Beck, Ada · Bed 3` */
    name(id: number): string {
        const who = this.patient(id)
        if (!who) return ""
        const name = t.ward.name(who.family, who.given)
        return who.bed === null ? name : `${name} · ${t.ward.bed(who.bed)}`
    }

    /** Takes over who is there; values only where they are newer. */
    load({ patients }: Ward): void {
        const before = this.patients
        this.sorted = undefined
        this.wardNames = undefined
        this.patients = new Map()
        for (const patient of patients) {
            const newest = before.get(patient.id)?.newest ?? new Map<string, Observation>()
            this.patients.set(patient.id, { patient, newest })
            for (const observation of patient.newest) this.add(observation)
        }
    }

    /** False where the patient is not known here. */
    add(observation: Observation): boolean {
        const entry = this.patients.get(observation.patient)
        if (!entry) return false
        const known = entry.newest.get(observation.name)
        if (!known || isNewer(observation, known, now())) entry.newest.set(observation.name, observation)
        return true
    }

    /** By bed, then name; bed 2 before bed 10. */
    all(): WardPatient[] {
        if (!this.sorted) {
            const { compare } = new Intl.Collator(undefined, { numeric: true })
            const key = ({ bed, family, given }: WardPatient) => `${bed ?? "\uffff"} ${family} ${given}`
            this.sorted = [...this.patients.values()]
                .map(({ patient }) => patient)
                .sort((a, b) => compare(key(a), key(b)))
        }
        return [...this.sorted]
    }

    /** The names of all wards. */
    wards(): string[] {
        this.wardNames ??= [...new Set([...this.patients.values()].flatMap(({ patient }) => patient.ward ?? []))].sort(
            (a, b) => a.localeCompare(b, undefined, { numeric: true }),
        )
        return this.wardNames
    }

    patient(id: number): WardPatient | undefined {
        return this.patients.get(id)?.patient
    }

    newest(id: number, name: VitalName): Observation | undefined {
        return this.patients.get(id)?.newest.get(name)
    }

    /** After so long a value of this patient is old. */
    silentMs(id: number): number {
        return this.patient(id)?.silentMs ?? liveMs
    }

    /** When anything of this patient was last measured, unix ms; a time ahead of the clinic only where there is no other. */
    newestTime(id: number, now: number): number | undefined {
        const times = [...(this.patients.get(id)?.newest.values() ?? [])].map(o => o.time)
        const possible = times.filter(time => !isAhead(time, now))
        if (possible.length > 0) return Math.max(...possible)
        return times.length > 0 ? Math.min(...times) : undefined
    }
}
