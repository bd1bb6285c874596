import type { FastifyInstance } from "fastify"
import { metricsType } from "../../host/metrics.ts"
import type { Router } from "../router.ts"
import type { RouterMetrics } from "./metrics.ts"

/** For whoever watches the router: whether it runs, whether it can store what motes send, metrics for Prometheus. */
export function operationRoutes(
    app: FastifyInstance,
    { router, metrics }: { router: Pick<Router, "canStore">; metrics: RouterMetrics },
): void {
    const config = { needs: "nothing" } as const
    app.get(
        "/livez",
        { config },
        async (_request, reply) => await reply.header("cache-control", "no-store").send({ status: "ok" }),
    )
    app.get("/readyz", { config }, async (_request, reply) => {
        const status = router.canStore()
        void reply.header("cache-control", "no-store")
        return await reply.code(status === undefined ? 200 : 503).send({ status: status ?? "ok" })
    })
    app.get("/metrics", async (_request, reply) => {
        void reply.header("cache-control", "no-store")
        return await reply.type(metricsType).send(await metrics.text())
    })
}
