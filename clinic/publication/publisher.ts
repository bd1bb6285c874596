import type { Clock, Timer } from "../../host/clock.ts"
import { reasonOf } from "../../host/errors.ts"
import type { Log } from "../../host/log.ts"
import type { Clinic } from "../clinic.ts"
import type { Patient } from "../people/patients.ts"
import type { Position } from "../store/publications.ts"
import type { Changes, Store } from "../store/store.ts"
import { Broker } from "./broker.ts"
import { Disclosures } from "./disclosures.ts"
import { discovery, removal, statusTopic } from "./home-assistant.ts"
import { alarmMessage, Pseudonyms, vitalMessage, type PublishedMessage } from "./messages.ts"
import type { PublicationPlan } from "./plan.ts"

/** Messages that are published before the position moves; alarms wait for no more readings than these. */
const pageSize = 32
/** Readings that arrive at about the same time are published together. */
const gatherMs = 250
/** The pause after the broker or the store has refused something. */
const retryMs = 10_000
/** Devices of patients who left so long ago have been removed from Home Assistant. */
const recentMs = 30 * 86_400_000
/** Changes of an alarm that others hear of; the rest is about who was told. */
const publishedChanges = new Set([
    ...["raised", "worsened", "again", "cleared", "acknowledged", "undone", "paused", "acknowledgement-expired"],
    ...["pause-expired", "escalated", "closed", "taken-off", "discharged", "revoked"],
])

interface PublisherOptions {
    plan: PublicationPlan
    clinic: Clinic
    store: Store
    /** The clinic's own key. */
    key: Uint8Array
    clock: Clock
    random: (bytes: number) => Uint8Array
    log: Log
}

/**
 * Publishes vital signs and alarms as they are stored, in that order. How far the broker has acknowledged them is stored,
 * so a broker that is away, or a clinic that is killed, costs nothing: the rest is published later. What was under way
 * then may come twice, with the same id.
 */
export class Publisher {
    private readonly o: PublisherOptions
    private readonly name: string
    /** Undefined until this process is on duty. */
    private broker: Broker | undefined
    private readonly pseudonyms: Pseudonyms
    private readonly disclosures: Disclosures
    private readonly unsubscribe: () => void
    /** The patients of whom Home Assistant has been told, with the topic and name that it has. */
    private readonly announced = new Map<number, string>()
    private position: Position
    private isConnected = false
    private isStopped = false
    private hasMore = false
    /** The connection is new: the broker has to hear that the clinic publishes. */
    private mustGreet = false
    /** A patient may have left. */
    private mayBeGone = false
    private running: Promise<void> | undefined
    private timer: Timer
    private failed: { since: number; failure: string } | undefined

    private constructor(o: PublisherOptions, position: Position) {
        this.o = o
        this.position = position
        const { plan, clinic, clock } = o
        this.name = plan.access.url
        this.pseudonyms = new Pseudonyms(o.key)
        this.disclosures = new Disclosures({ clinic, clock, to: this.name, hasNames: plan.hasNames })
        this.unsubscribe = o.store.onChanged(changes => this.changed(changes))
        this.wake()
    }

    /** Starts where the last publication to this broker ended; the first time with what comes from now on. */
    static async start(o: PublisherOptions): Promise<Publisher> {
        const { store, plan } = o
        const stored = await store.publication.get(plan.access.url)
        const position = stored ?? {
            measurement: await store.measurement.newestId(),
            alarmEntry: await store.alarmEntry.newestId(),
        }
        if (!stored) await store.publication.put(plan.access.url, position)
        return new Publisher(o, position)
    }

    /** Since when nothing can be published, and why; empty while it can. */
    failing(): { name: string; since: number; failure: string }[] {
        return this.failed ? [{ name: this.name, ...this.failed }] : []
    }

    async stop(): Promise<void> {
        this.isStopped = true
        this.unsubscribe()
        this.o.clock.clearTimeout(this.timer)
        this.broker?.close()
        await this.running
    }

    private changed(changes: Changes): void {
        if (changes.has("patient")) this.mayBeGone = true
        if (changes.has("alarm") || changes.has("alarm_entry") || changes.has("patient")) return this.wake()
        if (!changes.has("measurement")) return
        this.hasMore = true
        if (this.timer === undefined && !this.running) this.later(gatherMs)
    }

    private later(ms: number): void {
        if (this.isStopped) return
        this.o.clock.clearTimeout(this.timer)
        this.timer = this.o.clock.setTimeout(() => {
            this.timer = undefined
            this.wake()
        }, ms)
    }

    /** Publishes what waits, if this is the process that tells others. */
    wake(): void {
        this.hasMore = true
        if (this.isStopped || !this.o.store.isOnDuty) return
        this.broker ??= this.connect()
        if (!this.isConnected || this.running) return
        this.running = this.work()
            .then(() => (this.failed = undefined))
            .catch((error: Error) => {
                if (this.isStopped) return
                this.fails(reasonOf(error))
                this.later(retryMs)
            })
            .then(() => {
                this.running = undefined
                if (this.hasMore && this.timer === undefined && this.mayPublish) this.wake()
            })
    }

    private get mayPublish(): boolean {
        return this.isConnected && !this.isStopped && this.o.store.isOnDuty
    }

    private async send(messages: readonly PublishedMessage[]): Promise<void> {
        await this.broker!.publish(messages)
    }

    private fails(failure: string): void {
        if (this.isStopped || this.failed) return
        this.failed = { since: Math.trunc(this.o.clock.now()), failure }
        this.o.log.warn({ broker: this.name, failure }, "vital signs and alarms are not published; they wait")
    }

    private connect(): Broker {
        const { plan, clock, random, log } = this.o
        return new Broker({
            ...{ clock, random, log, access: plan.access, statusTopic: statusTopic(plan) },
            connected: () => {
                this.isConnected = true
                this.announced.clear()
                this.mustGreet = this.mayBeGone = true
                this.wake()
            },
            lost: reason => {
                this.isConnected = false
                this.fails(reason)
            },
        })
    }

    private async work(): Promise<void> {
        // Another process may have published until now.
        this.position = (await this.o.store.publication.get(this.name)) ?? this.position
        do {
            this.hasMore = false
            if (this.mustGreet) await this.send([{ topic: statusTopic(this.o.plan), payload: "online", retain: true }])
            this.mustGreet = false
            if (this.mayBeGone) await this.removeGone()
            this.mayBeGone = false
            while (this.mayPublish && ((await this.alarms()) || (await this.vitals())));
        } while (this.hasMore && this.mayPublish)
    }

    /** Publishes the next changes of alarms. Returns false if there are none. */
    private async alarms(): Promise<boolean> {
        const { plan, store, clinic } = this.o
        if (!plan.hasAlarms) return false
        const entries = await store.alarmEntry.since(this.position.alarmEntry, pageSize)
        const page = new Page(this.o.plan, clinic)
        for (const entry of entries) {
            const alarm = publishedChanges.has(entry.change) ? await clinic.alarms.get(entry.alarm) : undefined
            const patient = await page.shown(alarm?.patient)
            if (alarm && patient)
                page.add(patient, alarmMessage(plan, patient, this.pseudonyms.of(patient.id), entry, alarm))
        }
        const last = entries.at(-1)
        if (last) await this.publish("alarms", page, { ...this.position, alarmEntry: last.id })
        return last !== undefined
    }

    private async vitals(): Promise<boolean> {
        const { plan, store, clinic } = this.o
        if (plan.quantities.length === 0) return false
        const measurements = await store.measurement.since(this.position.measurement, plan.quantities, pageSize)
        const page = new Page(plan, clinic)
        for (const measurement of measurements) {
            const patient = await page.shown(measurement.patient)
            if (patient) page.add(patient, vitalMessage(plan, patient, this.pseudonyms.of(patient.id), measurement))
        }
        const last = measurements.at(-1)
        if (last) await this.publish("vital-signs", page, { ...this.position, measurement: last.id })
        return last !== undefined
    }

    /** The record has it before the broker has. */
    private async publish(subject: "alarms" | "vital-signs", page: Page, position: Position): Promise<void> {
        if (page.messages.length > 0) {
            await this.disclosures.record(subject, [...page.patients.keys()])
            await this.send([...this.announcements(page), ...page.messages])
        }
        await this.o.store.publication.put(this.name, position)
        this.position = position
    }

    private announcements({ patients }: Page): PublishedMessage[] {
        const { plan } = this.o
        if (!plan.isForHomeAssistant) return []
        return [...patients.values()].flatMap(patient => {
            const messages = discovery(plan, patient, this.pseudonyms.of(patient.id))
            const known = JSON.stringify(messages)
            if (this.announced.get(patient.id) === known) return []
            this.announced.set(patient.id, known)
            return messages
        })
    }

    /** Removes the devices of patients who have left, or whose ward is not published, from Home Assistant. */
    private async removeGone(): Promise<void> {
        const { plan, clinic } = this.o
        if (!plan.isForHomeAssistant) return
        const since = clinic.now() - recentMs
        let after = 0
        for (;;) {
            const patients = await clinic.patients.page(after, 100)
            if (patients.length === 0) return
            after = patients.at(-1)!.id
            const gone = patients.filter(patient => !isPublished(plan, patient) && patient.updatedAt > since)
            await this.send(gone.flatMap(({ id }) => removal(plan, this.pseudonyms.of(id))))
            for (const { id } of gone) this.announced.delete(id)
        }
    }
}

/** The messages of one page, and whose they are. */
class Page {
    readonly messages: PublishedMessage[] = []
    readonly patients = new Map<number, Patient>()
    private readonly plan: PublicationPlan
    private readonly clinic: Clinic
    private readonly known = new Map<number, Patient | undefined>()

    constructor(plan: PublicationPlan, clinic: Clinic) {
        this.plan = plan
        this.clinic = clinic
    }

    /** The patient, if the plan publishes the ward where the patient is now. */
    async shown(id: number | null | undefined): Promise<Patient | undefined> {
        if (id === null || id === undefined) return undefined
        if (!this.known.has(id)) this.known.set(id, await this.clinic.patients.get(id))
        const patient = this.known.get(id)
        return patient && isPublished(this.plan, patient) ? patient : undefined
    }

    add(patient: Patient, message: PublishedMessage): void {
        this.patients.set(patient.id, patient)
        this.messages.push(message)
    }
}

function isPublished({ wards }: PublicationPlan, { active, ward }: Patient): boolean {
    return active && (wards === undefined || (ward !== null && wards.has(ward)))
}
