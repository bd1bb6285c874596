import type { Clinic } from "../clinic.ts"
import { StoreFailure } from "../store/failure.ts"
import { Health, Metrics } from "./schemas/operation.ts"
import type { App } from "./typed-app.ts"

const tags = ["operation"]
const metricsType = "text/plain; version=0.0.4"

/** For whoever watches the service; no patient data. */
export function healthRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/healthz",
        {
            schema: {
                tags,
                summary: "Whether anything can be stored",
                security: [],
                response: { 200: Health, 503: Health },
            },
            config: { access: "public" },
        },
        async (_request, reply) => {
            try {
                await clinic.check()
                return await reply.send({ status: "ok" })
            } catch (error) {
                const isFull = error instanceof StoreFailure && error.kind === "full"
                return await reply
                    .code(503)
                    .send({ status: isFull ? "the disk is full" : "the database does not work" })
            }
        },
    )

    app.get(
        "/metrics",
        {
            schema: {
                tags,
                summary: "Counters for Prometheus",
                response: { 200: { description: "Metrics", content: { "text/plain": { schema: Metrics } } } },
            },
            config: { access: "monitor" },
        },
        async (_request, reply) => reply.type(metricsType).send(metrics(clinic)),
    )
}

/** In the text format of Prometheus. */
function metrics(clinic: Clinic): string {
    const deliveries = Object.entries(clinic.stats()).map(
        ([status, count]) => `vitalmote_clinic_deliveries_total{status="${status}"} ${count}\n`,
    )
    return (
        "# HELP vitalmote_clinic_deliveries_total Envelopes delivered by routers, by outcome.\n" +
        "# TYPE vitalmote_clinic_deliveries_total counter\n" +
        deliveries.join("") +
        "# HELP process_resident_memory_bytes Resident memory size in bytes.\n" +
        "# TYPE process_resident_memory_bytes gauge\n" +
        `process_resident_memory_bytes ${process.memoryUsage.rss()}\n`
    )
}
