import type { AuditEvent } from "../http/schemas/fhir.ts"
import { auditEvents } from "./api.ts"
import { t } from "./texts/language.ts"

/** What the pages show of an event of the audit record. */
export interface SeenEvent {
    id: string
    /** Unix ms. */
    at: number
    user: string | null
    role: string | null
    /** Where from, and with which session or token; empty for who may not know. */
    from: string
    subject: string
    action: string
    outcome: "done" | "refused" | "failed" | "unknown"
    problem: string | null
    /** Of a patient of another ward, with a reason. */
    isEmergency: boolean
    patients: number[]
    /** What was asked for, and what was said about it. */
    request: string
}

const outcomes: Record<string, SeenEvent["outcome"]> = { "0": "done", "4": "refused", "8": "failed" }

/** A page of the record, the newest first; `next` is where the following page begins, if there is one. */
export async function searchAudit(query: URLSearchParams): Promise<{ events: SeenEvent[]; next: string | undefined }> {
    const { entry = [], link } = await auditEvents(query)
    const following = link.find(({ relation }) => relation === "next")?.url
    const next = following === undefined ? null : new URL(following).searchParams.get("_cursor")
    return { events: entry.map(({ resource }) => seen(resource)), next: next ?? undefined }
}

/** What came of it, behind what was done; empty where there is nothing to add. */
export function becameOf(outcome: SeenEvent["outcome"], isEmergency: boolean): string {
    const said = [...(isEmergency ? [t.audit.emergency] : []), ...(outcome === "done" ? [] : [t.audit.became[outcome]])]
    return said.length > 0 ? `: ${said.join(", ")}` : ""
}

function seen(event: AuditEvent): SeenEvent {
    const { id, recorded, agent, subtype, outcome, outcomeDesc, purposeOfEvent = [], entity = [] } = event
    const code = (name: string) => subtype.find(({ system }) => system === `urn:vitalmote:audit-${name}`)?.code ?? ""
    const [who] = agent
    const said = entity.flatMap(({ detail = [] }) => detail.map(({ type, valueString }) => `${type}: ${valueString}`))
    return {
        id,
        at: Date.parse(recorded),
        user: who?.requestor === true ? who.who.display : null,
        role: who?.role?.[0]?.text ?? null,
        from: [who?.network?.address, who?.altId].filter(Boolean).join(", "),
        subject: code("subject"),
        action: code("action"),
        outcome: outcome === undefined ? "unknown" : (outcomes[outcome] ?? "unknown"),
        problem: outcomeDesc ?? null,
        isEmergency: purposeOfEvent.some(({ coding = [] }) => coding.some(({ code }) => code === "BTG")),
        patients: entity.flatMap(({ what }) => (what ? [Number(what.reference.replace("Patient/", ""))] : [])),
        request: [entity.find(({ name }) => name !== undefined)?.name, ...said].filter(Boolean).join("; "),
    }
}
