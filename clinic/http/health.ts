import { metricsType } from "../../host/metrics.ts"
import type { Clinic } from "../clinic.ts"
import { StoreFailure } from "../store/failure.ts"
import type { ClinicMetrics } from "./metrics.ts"
import { Health, Metrics } from "./schemas/operation.ts"
import type { App } from "./typed-app.ts"

const tags = ["operation"]

/**
 * For whoever watches the service; no patient data. `/livez` answers while the process does; `/readyz`, and `/healthz` as it was
 * called before, say whether anything can be stored.
 */
export function healthRoutes(app: App, { clinic, metrics }: { clinic: Clinic; metrics: ClinicMetrics }): void {
    app.addHook("onResponse", (request, reply, done) => {
        const { config, method, url = "none" } = request.routeOptions
        // A stream of events lasts for hours.
        if (config.isStream !== true) {
            const name = Array.isArray(method) ? method.join() : (method ?? "none")
            metrics.answered(
                request.is404 ? "none" : name,
                request.is404 ? "none" : url,
                reply.elapsedTime,
                reply.statusCode,
            )
        }
        done()
    })

    app.get(
        "/livez",
        {
            schema: { tags, summary: "Whether the service runs at all", security: [], response: { 200: Health } },
            config: { access: "public" },
        },
        async () => ({ status: "ok" }),
    )
    for (const path of ["/readyz", "/healthz"])
        app.get(
            path,
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
                summary: "Metrics for Prometheus",
                response: { 200: { description: "Metrics", content: { "text/plain": { schema: Metrics } } } },
            },
            config: { access: "monitor", audit: "none" },
        },
        async (_request, reply) => reply.type(metricsType).send(await metrics.text()),
    )
}
