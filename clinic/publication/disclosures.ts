import { elapsedMs, type Clock } from "../../host/clock.ts"
import { shiftAt } from "../alarms/shifts.ts"
import type { AuditSubject } from "../audit/event.ts"
import { Looks } from "../audit/looks.ts"
import type { Clinic } from "../clinic.ts"

/** In one event. */
const maxPatients = 50

/** Puts into the audit record whose data a broker gets: once for each patient, kind of data and shift. */
export class Disclosures {
    private readonly o: { clinic: Clinic; clock: Clock; to: string; hasNames: boolean }
    private readonly looks = new Looks()

    constructor(o: { clinic: Clinic; clock: Clock; to: string; hasNames: boolean }) {
        this.o = o
    }

    /** Resolves when it is in the record. Rejects if the store takes nothing: then nothing must be published either. */
    async record(subject: AuditSubject, patients: readonly number[]): Promise<void> {
        const { clinic, clock, to, hasNames } = this.o
        const shift = shiftAt(clinic.now(), clinic.timeZone)
        const counting = this.looks.take({ key: subject, patients, at: elapsedMs(clock), shift, isDisplay: true })
        const events = []
        for (let from = 0; from < counting.length; from += maxPatients) {
            const detail = { broker: to, names: hasNames ? "yes" : "no" }
            const some = counting.slice(from, from + maxPatients)
            events.push({ ...clinic.audit.own("disclose", detail), subject, patients: some })
        }
        if (events.length === 0) return
        try {
            await clinic.audit.record(events)
        } catch (error) {
            this.looks.forget(subject, counting)
            throw error
        }
    }
}
