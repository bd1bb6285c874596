import type { FastifyInstance } from "fastify"
import type { Clinic } from "../clinic.ts"

/** For whoever watches the service; no patient data. */
export function healthRoutes(app: FastifyInstance, clinic: Clinic): void {
    app.get("/healthz", { config: { access: "public" } }, async (_request, reply) => {
        try {
            await clinic.check()
            return await reply.send({ status: "ok" })
        } catch {
            return await reply.code(503).send({ status: "the database does not work" })
        }
    })

    app.get("/metrics", { config: { access: ["doctor"] } }, async (_request, reply) =>
        reply.type("text/plain; version=0.0.4").send(metrics(clinic)),
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
