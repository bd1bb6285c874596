import type { Writable } from "node:stream"
import type { Clock, Timer } from "../../host/clock.ts"
import type { Alarm } from "../alarms/alarm.ts"
import type { Condition } from "../conditions.ts"
import type { PatientScore } from "../news2/news2.ts"
import type { Observation } from "../readings/observations.ts"
import { shownAlarm } from "./alarms.ts"
import type { LiveEvents } from "./schemas/live.ts"
import { shownObservation } from "./ward.ts"

/** What a client may have missed and still get; beyond this it starts over from /api/ward. */
const maxMissed = 1000
/** Of a client that reads slowly so many observations wait; then it starts over, too. All clients wait for the same objects. */
const maxWaiting = 10_000
/** A client that reads nothing of what waits for it is cut off after this; it comes back and goes on where it was. */
const stalledMs = 30_000

interface News {
    /** Every alarm that belongs on the screen. */
    openAlarms(): Promise<Alarm[]>
    /** In the order they were stored, from the one after `id`; undefined where that would be too many to look through. */
    observationsSince(id: number, limit: number): Promise<Observation[] | undefined>
}

/**
 * One reader of /api/live. It is sent as much as it reads: of an alarm that changes while it does not, the last state waits for
 * it; of observations the last ones, or that there were too many.
 */
export class LiveClient {
    private readonly stream: Writable
    private readonly isVisible: (patient: number | null) => boolean
    private readonly clock: Clock
    /** Newest id sent or waiting; undefined while catching up. */
    private newest: number | undefined
    private observations: Observation[] = []
    private readonly alarms = new Map<number, Alarm>()
    private readonly scores = new Map<number, PatientScore>()
    private openDue: number[] | undefined
    private isReset = false
    private isHeld = false
    private beatDue: readonly Condition[] | undefined
    private isFull = false
    private stalled: Timer

    constructor(stream: Writable, o: { isVisible: (patient: number | null) => boolean; clock: Clock }) {
        this.stream = stream
        this.isVisible = o.isVisible
        this.clock = o.clock
        stream.on("drain", () => {
            this.isFull = false
            this.clock.clearTimeout(this.stalled)
            this.send()
        })
        stream.on("close", () => this.clock.clearTimeout(this.stalled))
    }

    /** Tells which alarms are open, then each of them, then what was stored after `since`, then what has come in meanwhile. */
    async catchUp(since: number | undefined, news: News): Promise<void> {
        const open = await news.openAlarms()
        const missed = since === undefined ? [] : await news.observationsSince(since, maxMissed + 1)
        this.open(open)
        const meanwhile = this.observations
        this.observations = []
        this.newest = since ?? 0
        if (!missed || missed.length > maxMissed) this.isReset = true
        else this.queue(missed)
        this.queue(meanwhile)
        this.send()
    }

    /** Nothing more is written until `restart` or `release`: whom the user sees is being looked up. */
    hold(): void {
        this.isHeld = true
    }

    release(): void {
        this.isHeld = false
        this.send()
    }

    /** The user sees others than before: the page has to load anew who is there, and is told of all their alarms. */
    restart(open: Alarm[]): void {
        this.isReset = true
        if (this.newest !== undefined) this.open(open)
        this.release()
    }

    private open(open: Alarm[]): void {
        const visible = open.filter(alarm => this.isVisible(alarm.patient))
        this.openDue = visible.map(({ id }) => id)
        // What has changed meanwhile is newer than what was read.
        for (const alarm of visible) if (!this.alarms.has(alarm.id)) this.alarms.set(alarm.id, alarm)
    }

    addObservations(found: Observation[]): void {
        if (this.newest === undefined) this.observations.push(...found)
        else this.queue(found)
        this.send()
    }

    /** Alarms as they are now, those that are over included. */
    addAlarms(changed: Alarm[]): void {
        for (const alarm of changed) if (this.isVisible(alarm.patient)) this.alarms.set(alarm.id, alarm)
        this.send()
    }

    /** A score that has changed; the last one of each patient waits. */
    addScore(score: PatientScore): void {
        if (this.isVisible(score.patient)) this.scores.set(score.patient, score)
        this.send()
    }

    /** The time, and what makes that which is shown wrong or incomplete. */
    beat(conditions: readonly Condition[]): void {
        this.beatDue = conditions
        this.send()
    }

    private queue(found: Observation[]): void {
        for (const observation of found) {
            if (observation.id <= this.newest! || !this.isVisible(observation.patient)) continue
            this.newest = observation.id
            this.observations.push(observation)
        }
        if (this.observations.length <= maxWaiting) return
        this.observations = []
        this.isReset = true
    }

    /** What matters most first. */
    private send(): void {
        if (this.isHeld) return
        if (this.beatDue && !this.isFull) {
            const conditions = this.beatDue
            this.beatDue = undefined
            this.write("time", { now: Math.trunc(this.clock.now()), conditions })
        }
        if (this.newest === undefined) return // catching up
        if (this.openDue && !this.isFull) {
            this.write("alarms", { open: this.openDue })
            this.openDue = undefined
        }
        // A patient may have left the user's wards since the news came.
        for (const [id, alarm] of this.alarms) {
            if (this.isFull) return
            this.alarms.delete(id)
            if (this.isVisible(alarm.patient)) this.write("alarm", shownAlarm(alarm))
        }
        for (const [patient, score] of this.scores) {
            if (this.isFull) return
            this.scores.delete(patient)
            if (this.isVisible(patient)) this.write("score", score)
        }
        if (this.isReset && !this.isFull) {
            this.isReset = false
            this.write("reset", {})
        }
        let sent = 0
        for (const observation of this.observations) {
            if (this.isFull) break
            sent++
            if (this.isVisible(observation.patient))
                this.write("observation", shownObservation(observation), observation.id)
        }
        this.observations.splice(0, sent)
    }

    private write<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name], id?: number): void {
        if (this.stream.writableEnded || this.stream.destroyed) return
        const idLine = id === undefined ? "" : `id: ${id}\n`
        if (this.stream.write(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`)) return
        if (this.isFull) return
        this.isFull = true
        this.stalled = this.clock.setTimeout(() => this.stream.destroy(), stalledMs)
    }
}
