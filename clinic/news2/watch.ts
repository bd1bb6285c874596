import type { Log } from "../../host/log.ts"
import { Slices } from "../../host/slices.ts"
import type { Alarm } from "../alarms/alarm.ts"
import type { Alarms } from "../alarms/alarms.ts"
import { limitOf } from "../alarms/urgency.ts"
import type { Store } from "../store/store.ts"
import { vitalOf, type News2, type PatientScore } from "./news2.ts"
import { highFrom, mediumFrom, singleThree, type Score } from "./score.ts"

/** Everybody's score is worked out so often; that of a patient of whom something was entered at once. */
const everyMs = 10_000
/** A score on the edge goes up and down: an alarm is over when it has been lower for so long. */
const lowerMs = 10 * 60_000

/** Kinds of wire/tables/alarm-kinds.ts, and when each is raised, the most urgent first: there is one of them at a time. */
const thresholds: { kind: string; isBeyond: (score: Beyond) => boolean; isLower: (score: Beyond) => boolean }[] = [
    { kind: "news2-7", isBeyond: ({ sum }) => sum >= highFrom, isLower: ({ sum }) => sum < highFrom },
    { kind: "news2-5", isBeyond: ({ sum }) => sum >= mediumFrom, isLower: ({ sum }) => sum < mediumFrom },
    {
        kind: "news2-3",
        isBeyond: ({ sum, hasThree }) => hasThree && sum < mediumFrom,
        isLower: ({ hasThree }) => !hasThree,
    },
]
const kinds = thresholds.map(({ kind }) => kind)

interface Beyond {
    sum: number
    hasThree: boolean
}

export interface News2WatchOptions {
    store: Store
    alarms: Alarms
    news2: News2
    now: () => number
    /** Milliseconds that only go forward. */
    elapsed: () => number
    log: Log
}

/**
 * Raises an alarm where the score of a patient reaches a threshold of NEWS2, and clears it when it has been lower for a while. What is
 * missing can only make a score higher, so that what is known is enough to raise one. A value that has become too old counts on when
 * it comes to clearing: silence ends nothing.
 */
export class News2Watch {
    private readonly o: News2WatchOptions
    private lookedAt = -Infinity
    /** By patient and kind, since when the score has been lower, by `elapsed`. */
    private readonly lowerSince = new Map<string, number>()
    /** By patient, what was last told of the score. */
    private readonly told = new Map<number, string>()
    private work: Promise<void> = Promise.resolve()

    constructor(o: News2WatchOptions) {
        this.o = o
    }

    /** To be called every second or two; never throws. */
    async check(): Promise<void> {
        if (this.o.elapsed() - this.lookedAt < everyMs) return await this.work
        this.lookedAt = this.o.elapsed()
        await this.inTurn(async () => {
            const patients = await this.o.store.patient.active()
            await this.look(patients.map(({ id }) => id))
        })
    }

    /** Something was entered about this patient. */
    async checkPatient(patient: number): Promise<void> {
        await this.inTurn(() => this.look([patient]))
    }

    /** Never two at once: they would raise an alarm twice. */
    private async inTurn(work: () => Promise<void>): Promise<void> {
        this.work = this.work.then(work).catch((error: Error) => {
            this.o.log.error({ reason: error.message }, "cannot work out scores")
        })
        await this.work
    }

    private async look(patients: readonly number[]): Promise<void> {
        const open = (await this.o.alarms.open()).filter(({ clearedAt }) => clearedAt === null)
        const slices = new Slices()
        for (const patient of patients) {
            const lasting = open.filter(alarm => alarm.patient === patient)
            const scores = lasting.filter(({ kind }) => kinds.includes(kind))
            const { score, last } = await this.o.news2.judge(patient, scores.length > 0)
            if (this.o.store.isOnDuty) await this.follow(score, last, lasting)
            this.tell(score)
            await slices.pause()
        }
    }

    private async follow(score: PatientScore, last: Score, lasting: readonly Alarm[]) {
        // Somebody is called already because of a value that is beyond its limit: its 3 is nothing more to say.
        const called = new Set<string | undefined>(lasting.map(({ kind }) => limitOf(kind)?.quantity))
        const isNews = ({ name }: PatientScore["parts"][number]) => !(name in vitalOf && called.has(vitalOf[name]))
        const now = beyond(
            score.atLeast,
            score.parts.filter(isNews).map(part => part.score),
        )
        const known = beyond(last.atLeast, Object.values(last.parts))
        const { alarms, store, elapsed } = this.o
        const { patient } = score
        const subject = { source: `patient/${patient}`, mote: null, patient, endedAt: null }
        let hasUrgent = false
        for (const { kind, isBeyond, isLower } of thresholds) {
            const key = `${score.patient} ${kind}`
            const isRaised = lasting.some(alarm => alarm.kind === kind)
            if (!isRaised || !isLower(known)) this.lowerSince.delete(key)
            else if (!this.lowerSince.has(key)) this.lowerSince.set(key, elapsed())
            const isOver = elapsed() - (this.lowerSince.get(key) ?? Infinity) >= lowerMs
            if (isOver) this.lowerSince.delete(key)
            const time = this.o.now()
            if (isOver) await store.transaction(t => alarms.clear(subject, kind, time, t))
            else if (isRaised && hasUrgent) await store.transaction(t => alarms.withdraw(subject, kind, t))
            else if (!isRaised && !hasUrgent && isBeyond(now))
                await store.transaction(t => alarms.raise(subject, kind, { time }, t))
            hasUrgent ||= isRaised ? !isOver : isBeyond(now)
        }
    }

    private tell(score: PatientScore): void {
        const { total, atLeast, risk, missing, scale, parts } = score
        // A pulse that goes from 72 to 73 is no other score.
        const entered = parts.map(({ score: part, by, time }) => [part, by === null ? null : time])
        const text = JSON.stringify([total, atLeast, risk, missing, scale, entered])
        if (this.told.get(score.patient) === text) return
        this.told.set(score.patient, text)
        this.o.news2.tell(score)
    }
}

function beyond(sum: number, parts: readonly (number | null)[]): Beyond {
    return { sum, hasThree: parts.includes(singleThree) }
}
