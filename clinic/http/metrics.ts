import { Counter, Gauge, Histogram, Registry } from "prom-client"
import { measureProcess, scrape } from "../../host/metrics.ts"
import { alarmKinds, priorities } from "../../wire/tables/alarm-kinds.ts"
import type { Alarm } from "../alarms/alarm.ts"
import type { Clinic } from "../clinic.ts"

/** What the core does not know of its own service. Times are unix ms. */
export interface Surroundings {
    /** Bytes that are free, and of all, where the database is. */
    disk(): Promise<{ free: number; size: number }>
    /** Of the database and its log. */
    databaseBytes(): number
    certificateEnds(): number
    /** Of the newest good backup; undefined where there is none, or where the clinic makes none. */
    lastBackupAt(): number | undefined
    /** Channels that did not work at their last attempt. */
    failingChannels(): number
}

/** Most answers take milliseconds; a month's trend, or a batch on a slow disk, may take longer. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** An envelope is here within a second, or after an outage of hours. */
const lagSeconds = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43_200]

/** The clinic's metrics. They name no patient, mote or user: only routers, by the names of their accounts. */
export class ClinicMetrics {
    private readonly registry = new Registry()
    private readonly clinic: Clinic
    private readonly around: Surroundings
    private readonly requests: Histogram<"method" | "route">
    private readonly responses: Counter<"status">
    /** Run before each scrape. */
    private readonly updates: (() => Promise<void>)[] = []

    constructor(clinic: Clinic, around: Surroundings) {
        this.clinic = clinic
        this.around = around
        this.requests = new Histogram({
            ...this.named("http_request_duration_seconds", "Time from a request until its answer, by route."),
            labelNames: ["method", "route"],
            buckets: seconds,
        })
        this.responses = new Counter({
            ...this.named("http_responses_total", "Answers, by status."),
            labelNames: ["status"],
        })
        this.addAlarms()
        this.addMotes()
        this.addRouters()
        this.addStore()
        this.addDeliveries()
        this.addRetention()
        measureProcess()
    }

    answered(method: string, route: string, ms: number, status: number): void {
        this.requests.observe({ method, route }, ms / 1000)
        this.responses.inc({ status: String(status) })
    }

    /** In the text format of Prometheus. */
    async text(): Promise<string> {
        await Promise.all(this.updates.map(update => update()))
        return await scrape(this.registry)
    }

    private addAlarms(): void {
        const { clinic } = this
        const open = this.gauge("alarms_open", "Open alarms, by kind, priority and state.", [
            "kind",
            "priority",
            "state",
        ])
        const oldest = this.gauge(
            "alarm_unattended_seconds",
            "Age of the oldest alarm to which nobody attends, by priority.",
            ["priority"],
        )
        this.updates.push(async () => {
            const alarms = await clinic.alarms.open()
            open.reset()
            for (const { kind, priority, state } of alarms) open.inc({ kind: known(kind), priority, state })
            for (const priority of priorities)
                oldest.set({ priority }, unattendedMs(alarms, priority, clinic.now()) / 1000)
        })
    }

    private addMotes(): void {
        const { clinic } = this
        const motes = this.gauge("motes", "Motes in use, by whether they are silent.", ["state"])
        this.updates.push(async () => {
            const inUse = (await clinic.motes.all()).filter(({ revokedAt }) => revokedAt === null).length
            const { count } = clinic.silence
            motes.set({ state: "silent" }, count)
            motes.set({ state: "not-silent" }, Math.max(0, inUse - count))
        })
    }

    private addRouters(): void {
        const silent = this.gauge("router_silent_seconds", "Time since a router was last heard.", ["router"])
        const clock = this.gauge(
            "router_clock_error_seconds",
            "How far a router's clock is ahead of the clinic's; 0 within 5 s.",
            ["router"],
        )
        const lag = this.gauge("router_lag_seconds", "Age of the oldest envelope of a router's last delivery.", [
            "router",
        ])
        this.updates.push(async () => {
            const states = await this.clinic.routers.all()
            for (const gauge of [silent, clock, lag]) gauge.reset()
            for (const { name: router, silentMs, clockOffsetMs, lagMs } of states) {
                silent.set({ router }, silentMs / 1000)
                if (clockOffsetMs !== null) clock.set({ router }, 0 - clockOffsetMs / 1000)
                if (lagMs !== null) lag.set({ router }, lagMs / 1000)
            }
        })
    }

    private addStore(): void {
        const { around, clinic } = this
        const values: [name: string, help: string, value: () => number | Promise<number>][] = [
            [
                "store_up",
                "1 where readings can be stored.",
                async () =>
                    await clinic.check().then(
                        () => 1,
                        () => 0,
                    ),
            ],
            ["database_bytes", "Size of the database and its log.", () => around.databaseBytes()],
            ["disk_free_bytes", "Free space where the database is.", async () => (await around.disk()).free],
            ["disk_size_bytes", "Space in all where the database is.", async () => (await around.disk()).size],
            [
                "certificate_not_after_timestamp_seconds",
                "End of the certificate, unix time.",
                () => around.certificateEnds() / 1000,
            ],
            [
                "backup_timestamp_seconds",
                "Time of the newest good backup, unix time; NaN where there is none.",
                () => (around.lastBackupAt() ?? NaN) / 1000,
            ],
            [
                "break_glass_unreviewed",
                "Openings of patients of other wards that nobody has reviewed.",
                async () => await clinic.breakGlass.unreviewed(),
            ],
            [
                "channels_failing",
                "Ways to tell people of alarms that did not work at the last attempt.",
                () => around.failingChannels(),
            ],
        ]
        for (const [name, help, value] of values) {
            const gauge = this.gauge(name, help)
            this.updates.push(async () => gauge.set(await value()))
        }
    }

    private addRetention(): void {
        const { clinic } = this
        const removed = new Counter({
            ...this.named("retention_removed_total", "What was kept no longer, by kind; of the process on duty."),
            labelNames: ["kind"],
        })
        const time = this.gauge(
            "retention_timestamp_seconds",
            "Time to which retention is done, unix time; NaN before.",
        )
        this.updates.push(async () => {
            removed.reset()
            for (const [kind, count] of Object.entries(clinic.retention.removed)) removed.inc({ kind }, count)
            time.set(((await clinic.retention.state())?.finishedAt ?? NaN) / 1000)
        })
    }

    private addDeliveries(): void {
        const deliveries = new Counter({
            ...this.named("deliveries_total", "Envelopes delivered by routers, by outcome."),
            labelNames: ["status"],
        })
        this.updates.push(async () => {
            deliveries.reset()
            for (const [status, count] of Object.entries(this.clinic.stats())) deliveries.inc({ status }, count)
        })
        const lag = new Histogram({
            ...this.named("envelope_lag_seconds", "Time from an envelope's arrival at its router until it is stored."),
            buckets: lagSeconds,
        })
        this.clinic.onStored(lagMs => lag.observe(Math.max(0, lagMs) / 1000))
    }

    private gauge<T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> {
        return new Gauge({ ...this.named(name, help), labelNames })
    }

    private named(name: string, help: string) {
        return { name: `vitalmote_clinic_${name}`, help, registers: [this.registry] }
    }
}

/** A newer mote may call an alarm anything. */
function known(kind: string): string {
    return Object.hasOwn(alarmKinds, kind) ? kind : "other"
}

function unattendedMs(alarms: readonly Alarm[], priority: string, now: number): number {
    const waiting = alarms.filter(alarm => alarm.state === "raised" && alarm.priority === priority)
    return Math.max(0, ...waiting.map(({ since }) => now - since))
}
