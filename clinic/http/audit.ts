import type { Clinic } from "../clinic.ts"
import { Chain, ChainQuery } from "./schemas/audit.ts"
import type { App } from "./typed-app.ts"

/** The audit record as it is stored; who searches it uses /fhir/AuditEvent. */
export function auditRoutes(app: App, clinic: Clinic): void {
    app.get(
        "/api/audit/chain",
        {
            schema: {
                tags: ["operation"],
                summary:
                    "The audit record as it is stored, from the event behind `after`, to verify its chain of hashes",
                querystring: ChainQuery,
                response: { 200: Chain },
            },
            config: { access: "verify-audit", audit: "none", isCompressed: true },
        },
        async request => {
            const { head, rows } = await clinic.auditChain(Number(request.query.after ?? 0))
            return {
                head: head ? { count: head.count, hash: hex(head.hash), mac: hex(head.mac) } : null,
                rows: rows.map(({ hash, ...row }) => ({ ...row, hash: hex(hash) })),
            }
        },
    )
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("hex")
}
