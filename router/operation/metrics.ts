import { Counter, Gauge, Histogram, Registry } from "prom-client"
import { measureProcess, scrape } from "../../host/metrics.ts"
import type { Router } from "../router.ts"
import type { DeliveryStatus } from "../browser/messages.ts"
import type { ClinicContact } from "./watched-clinic.ts"

/** What the router does not know of the machine that it runs on. Times are unix ms. */
export interface Surroundings {
    /** Bytes that are free, and of all, where the store is. */
    disk(): Promise<{ free: number; size: number }>
    /** Of the store and its log. */
    databaseBytes(): number
    /** Undefined without TLS. */
    certificateEnds(): number | undefined
    /** Monotonic, ms. */
    elapsed(): number
    maxOutboxBytes: number
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const outcomes = new Set(["stored", "duplicate"])

/** The router's metrics. They name no mote. */
export class RouterMetrics {
    private readonly contacts = new Map<string, ClinicContact>()
    private readonly registry = new Registry()
    private readonly around: Surroundings
    private readonly requests: Histogram<"operation" | "outcome" | "clinic">
    private readonly commits: Histogram
    private readonly updates: (() => Promise<void>)[] = []

    constructor(around: Surroundings) {
        this.around = around
        this.requests = new Histogram({
            ...this.named("clinic_request_duration_seconds", "Time of a request to the clinic."),
            labelNames: ["operation", "outcome", "clinic"],
            buckets: seconds,
        })
        this.commits = new Histogram({
            ...this.named("commit_duration_seconds", "Time until envelopes are on disk; receipts wait for it."),
            buckets: seconds,
        })
        measureProcess()
    }

    /** What requests to a clinic have shown. @param name empty where there is only one */
    contactOf(name: string): ClinicContact {
        const contact = this.contacts.get(name) ?? { answeredAt: this.around.elapsed(), clockErrorMs: undefined }
        this.contacts.set(name, contact)
        return contact
    }

    answered(name: string, operation: string, ms: number, isGood: boolean): void {
        this.requests.observe({ ...labelOf(name), operation, outcome: isGood ? "ok" : "failed" }, ms / 1000)
    }

    committed(ms: number): void {
        this.commits.observe(ms / 1000)
    }

    /** From now on a scrape has the numbers of this router, too. */
    watch(router: Pick<Router, "stats" | "canStore" | "ingest" | "status">): void {
        this.addEnvelopes(router)
        this.addClinics(router)
        const { around } = this
        const stats = () => router.stats()
        const values: [name: string, help: string, value: () => number | Promise<number>][] = [
            ["store_up", "1 where envelopes can be stored.", () => Number(router.canStore() === undefined)],
            ["connections", "CoAP connections.", () => stats().connections],
            ["mqtt_motes", "Motes that are online over MQTT.", () => stats().mqttMotes],
            ["outbox_envelopes", "Envelopes that the clinic does not have yet.", () => stats().outbox],
            ["outbox_bytes", "Bytes of those envelopes.", () => stats().outboxBytes],
            ["outbox_limit_bytes", "Most bytes of readings in the outbox.", () => around.maxOutboxBytes],
            ["dead_letters", "Envelopes that the clinic has refused.", () => stats().refusedByClinic],
            ["dead_letter_bytes", "Bytes of the dead letters.", () => stats().refusedByClinicBytes],
            ["database_bytes", "Size of the store and its log.", () => around.databaseBytes()],
            ["disk_free_bytes", "Free space where the store is.", async () => (await around.disk()).free],
            ["disk_size_bytes", "Space in all where the store is.", async () => (await around.disk()).size],
            [
                "certificate_not_after_timestamp_seconds",
                "End of the certificate for motes, unix time; NaN without TLS.",
                () => (around.certificateEnds() ?? NaN) / 1000,
            ],
        ]
        for (const [name, help, value] of values) {
            const gauge = new Gauge(this.named(name, help))
            this.updates.push(async () => gauge.set(await value()))
        }
    }

    /** The clinics; where there are several, each has its label, and more numbers. */
    private addClinics(router: Pick<Router, "status">): void {
        type Value = (name: string, status: DeliveryStatus) => number
        const add = (name: string, help: string, value: Value) => ({
            gauge: new Gauge({ ...this.named(name, help), labelNames: ["clinic"] }),
            value,
        })
        const always = [
            add(
                "clinic_silent_seconds",
                "Time since the clinic last answered, or since the start.",
                name => (this.around.elapsed() - this.contactOf(name).answeredAt) / 1000,
            ),
            add(
                "clock_error_seconds",
                "How far this machine's clock is ahead of the clinic's; 0 within 2 s.",
                name => (this.contactOf(name).clockErrorMs ?? NaN) / 1000,
            ),
        ]
        const several = [
            add("clinic_outbox_envelopes", "Envelopes that wait for a clinic.", (_name, status) => status.envelopes),
            add("clinic_outbox_bytes", "Bytes of those envelopes.", (_name, status) => status.bytes),
            add("clinic_motes", "Motes of a clinic.", (_name, status) => status.motes),
            add("clinic_dead_letters", "Its part of the oldest dead letters.", (_name, status) => status.deadLetters),
        ]
        const conflicts = new Gauge(this.named("conflicting_motes", "Motes that more than one clinic claims."))
        this.updates.push(() => {
            const status = router.status()
            conflicts.set(status.conflicts.length)
            for (const clinic of status.clinics)
                for (const { gauge, value } of clinic.name === "" ? always : [...always, ...several])
                    gauge.set(labelOf(clinic.name), value(clinic.name, clinic))
            return Promise.resolve()
        })
    }

    /** In the text format of Prometheus. */
    async text(): Promise<string> {
        await Promise.all(this.updates.map(update => update()))
        return await scrape(this.registry)
    }

    private addEnvelopes(router: Pick<Router, "ingest">): void {
        const taken = new Counter({
            ...this.named("envelopes_total", "Envelopes taken from motes, new and known ones."),
            labelNames: ["outcome"],
        })
        const refused = new Counter({
            ...this.named("refused_total", "Envelopes refused, by reason."),
            labelNames: ["reason"],
        })
        const contested = new Counter(
            this.named(
                "contested_total",
                "Envelopes with the nonce of another one: somebody besides the mote has its key.",
            ),
        )
        this.updates.push(async () => {
            taken.reset()
            refused.reset()
            contested.reset()
            const { contested: contestedCount, ...counts } = router.ingest.counts
            contested.inc(contestedCount)
            for (const [name, count] of Object.entries(counts))
                if (outcomes.has(name)) taken.inc({ outcome: name }, count)
                else refused.inc({ reason: name }, count)
        })
    }

    private named(name: string, help: string) {
        return { name: `vitalmote_router_${name}`, help, registers: [this.registry] }
    }
}

function labelOf(name: string): { clinic?: string } {
    return name === "" ? {} : { clinic: name }
}
