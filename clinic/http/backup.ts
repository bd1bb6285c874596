import type { BackupHolds } from "../backup/holds.ts"
import { ProblemError } from "../errors.ts"
import { ByHold, Hold } from "./schemas/backup.ts"
import { NoContent } from "./schemas/common.ts"
import type { App } from "./typed-app.ts"

const tags = ["operation"]
const config = { access: "back-up", audit: "none" } as const

/** Holds the database's file still for a command that copies it. */
export function backupRoutes(app: App, holds: BackupHolds): void {
    app.post(
        "/api/backup",
        {
            schema: {
                tags,
                summary: "Hold the database's file still for 20 s, so that it can be copied",
                response: { 201: Hold },
            },
            config,
        },
        async (_request, reply) => reply.code(201).send({ id: await holds.begin({ expires: true }) }),
    )

    app.put(
        "/api/backup/:id",
        {
            schema: {
                tags,
                summary: "Hold it for another 20 s; 404 if it was let go",
                params: ByHold,
                response: { 204: NoContent },
            },
            config,
        },
        async (request, reply) => {
            if (!holds.renew(request.params.id)) missing()
            return reply.code(204).send(null)
        },
    )

    app.delete(
        "/api/backup/:id",
        { schema: { tags, summary: "Let it go", params: ByHold, response: { 204: NoContent } }, config },
        async (request, reply) => {
            if (!(await holds.end(request.params.id))) missing()
            return reply.code(204).send(null)
        },
    )
}

function missing(): never {
    throw new ProblemError("not-found", { what: "backup" })
}
