import { Counter, Gauge, Histogram, Registry } from "prom-client"
import { measureProcess, scrape } from "../../host/metrics.ts"
import type { Router } from "../router.ts"
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
    readonly contact: ClinicContact
    private readonly registry = new Registry()
    private readonly around: Surroundings
    private readonly requests: Histogram<"operation" | "outcome">
    private readonly commits: Histogram
    private readonly updates: (() => Promise<void>)[] = []

    constructor(around: Surroundings) {
        this.around = around
        this.contact = { answeredAt: around.elapsed(), clockErrorMs: undefined }
        this.requests = new Histogram({
            ...this.named("clinic_request_duration_seconds", "Time of a request to the clinic."),
            labelNames: ["operation", "outcome"],
            buckets: seconds,
        })
        this.commits = new Histogram({
            ...this.named("commit_duration_seconds", "Time until envelopes are on disk; receipts wait for it."),
            buckets: seconds,
        })
        measureProcess()
    }

    answered(operation: string, ms: number, isGood: boolean): void {
        this.requests.observe({ operation, outcome: isGood ? "ok" : "failed" }, ms / 1000)
    }

    committed(ms: number): void {
        this.commits.observe(ms / 1000)
    }

    /** From now on a scrape has the numbers of this router, too. */
    watch(router: Pick<Router, "stats" | "canStore" | "ingest">): void {
        this.addEnvelopes(router)
        const { around, contact } = this
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
            [
                "clinic_silent_seconds",
                "Time since the clinic last answered, or since the start.",
                () => (around.elapsed() - contact.answeredAt) / 1000,
            ],
            [
                "clock_error_seconds",
                "How far this machine's clock is ahead of the clinic's; 0 within 2 s.",
                () => (contact.clockErrorMs ?? NaN) / 1000,
            ],
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
