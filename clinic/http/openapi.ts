import swagger from "@fastify/swagger"
import { Type, type TSchema } from "@sinclair/typebox"
import { problemMediaType } from "../../wire/tables/problems.ts"
import { Failure } from "./schemas/common.ts"
import { fhirType, OperationOutcome } from "./schemas/fhir.ts"
import { liveEvents } from "./schemas/live.ts"
import type { App } from "./typed-app.ts"

/** `/api/openapi.json`: every route with its parameters, bodies and answers, out of the schemas that the routes have. */
export async function describeRoutes(app: App): Promise<void> {
    app.addHook("onRoute", route => {
        if (!route.schema?.tags) return
        const failure = route.url.startsWith("/fhir") ? inFhir : inJson
        route.schema.response = { ...(route.schema.response as object), "4xx": failure, "5xx": failure }
    })
    await app.register(swagger, {
        openapi: {
            openapi: "3.1.0",
            info: { title: "VitalMote clinic", version: "1" },
            components: {
                securitySchemes: { token: { type: "http", scheme: "bearer" } },
                schemas: Object.fromEntries(Object.entries(liveEvents).map(([name, data]) => [`live-${name}`, data])),
            },
            security: [{ token: [] }],
        },
        hideUntagged: true,
    })
    app.get(
        "/api/openapi.json",
        {
            schema: {
                tags: ["operation"],
                summary: "This description",
                response: { 200: Type.Unsafe<object>({ type: "object", description: "OpenAPI 3.1" }) },
            },
            config: { access: "use-session", audit: "none" },
        },
        async () => app.swagger(),
    )
}

/** What is answered in FHIR's own media type. */
export function fhirAnswer(description: string, schema: TSchema) {
    return { description, content: { [fhirType]: { schema }, "application/json": { schema } } }
}

const inJson = { description: "What was wrong", content: { [problemMediaType]: { schema: Failure } } }
const inFhir = fhirAnswer("What was wrong", OperationOutcome)
