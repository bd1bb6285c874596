import type { AuditEvent as FhirAuditEvent, AuditEventEntity, Coding } from "@medplum/fhirtypes"
import type { NumberedEvent } from "../../audit/audit.ts"
import type { AuditAction, AuditOutcome } from "../../audit/event.ts"
import { AuditEvent } from "../../http/schemas/fhir.ts"
import { patientsFor } from "../../people/permissions.ts"
import { numbers, type Asking, type Item, type Kind, type Scan } from "../kind.ts"
import { idsIn, textsIn, timesIn, withCode } from "../search/narrow.ts"
import { placeOf } from "../search/place.ts"

const terminology = "http://terminology.hl7.org/CodeSystem"
const dicom = "http://dicom.nema.org/resources/ontology/DCM"

/** http://hl7.org/fhir/R4/valueset-audit-event-action.html */
const actions: Record<AuditAction, FhirAuditEvent["action"]> = {
    ...{ look: "R", disclose: "R", add: "C", change: "U", remove: "D" },
    ...{ "sign-in": "E", start: "E", restore: "E", broken: "E", lost: "E" },
}
const interactions: Partial<Record<AuditAction, string>> = {
    ...{ look: "read", add: "create", change: "update", remove: "delete" },
}
/** http://hl7.org/fhir/R4/valueset-audit-event-outcome.html; left out where nobody knows. */
const outcomes: Record<AuditOutcome, FhirAuditEvent["outcome"]> = {
    ...{ done: "0", refused: "4", failed: "8", unknown: undefined },
}

/** Of http://terminology.hl7.org/ValueSet/v3-PurposeOfUse. */
const breakTheGlass: Coding = { system: `${terminology}/v3-ActReason`, code: "BTG", display: "break the glass" }

const agent = { type: "string", path: "agent.name", isWhole: true } as const

/** Who looked at and changed what. A patient gets the events about herself, and no other patient's name in them. */
export const auditEventKind: Kind = {
    type: "AuditEvent",
    documentation:
        "Who looked at and changed what, the newest first. agent-name is the whole name of a user. Patients see the events about themselves.",
    ...{ access: "read-audit", audit: "audit", schema: AuditEvent, maxCount: 200 },
    parameters: {
        patient: {
            ...{ type: "reference", path: "entity.what", definition: "AuditEvent-patient" },
            ...{ targets: ["Patient"], isPatient: true },
        },
        "agent-name": { ...agent, definition: "AuditEvent-agent-name", documentation: "A user's whole name" },
        agent: { ...agent, definition: "AuditEvent-agent-name", documentation: "Short for agent-name" },
        date: { type: "date", path: "recorded", definition: "AuditEvent-date" },
        outcome: {
            ...{ type: "token", path: "outcome", definition: "AuditEvent-outcome" },
            ...{ system: "http://hl7.org/fhir/audit-event-outcome" },
            documentation: "0 done, 4 refused, 8 failed",
        },
        action: {
            ...{ type: "token", path: "action", definition: "AuditEvent-action" },
            system: "http://hl7.org/fhir/audit-event-action",
        },
        type: { type: "token", path: "type", definition: "AuditEvent-type" },
        subtype: { type: "token", path: "subtype", definition: "AuditEvent-subtype" },
    },
    indexed: ["patient", "date", "outcome"],
    mandatory: ["type", "recorded", "agent", "source"],
    summary: ["subtype", "action", "outcome", "outcomeDesc"],
    orders: ["-date"],
    read,
    async scan({ criteria, patients, after, limit }: Scan, asking: Asking) {
        const { clinic, user, now } = asking
        const visible = patientsFor(user, "read-audit")
        const users = textsIn(criteria, "agent-name") ?? textsIn(criteria, "agent")
        const times = timesIn(criteria, "date", now)
        const some = withCode(Object.keys(outcomes) as AuditOutcome[], criteria, "outcome", outcome =>
            outcomes[outcome] === undefined ? [] : [{ code: outcomes[outcome] }],
        )
        const [id, ...others] = idsIn(criteria, "_id") ?? []
        if (id !== undefined && others.length === 0) {
            return { items: after === undefined ? await read([id], asking) : [], rest: undefined }
        }
        const found = await clinic.audit.search({
            ...(patients !== "all" && { patients }),
            ...(users?.length === 1 && { user: users[0]! }),
            ...(some.length < Object.keys(outcomes).length && { outcomes: some }),
            ...(times && { ranges: times.moments }),
            ...(after !== undefined && { beforeId: placeOf(after) }),
            limit,
        })
        const items = found.map(event => itemOf(event, visible, visible === "all" ? [] : visible))
        return { items, rest: items.length < limit ? undefined : items.at(-1)?.position }
    },
}

async function read(ids: readonly string[], { clinic, user }: Asking): Promise<Item[]> {
    const visible = patientsFor(user, "read-audit")
    const found = await Promise.all(numbers(ids).map(id => clinic.audit.get(id)))
    return found
        .filter(event => event !== undefined)
        .filter(event => visible === "all" || event.patients.some(patient => visible.includes(patient)))
        .map(event => itemOf(event, visible, visible === "all" ? event.patients : visible))
}

/** `patients`: whom the record says that they were looked at. */
function itemOf(event: NumberedEvent, visible: "all" | readonly number[], patients: readonly number[]) {
    return { resource: toAuditEvent(event, visible), patients, position: String(event.id) }
}

/**
 * An event of the audit record in FHIR R4.
 * @param visible the patients who may stand in it; unless everybody may, without the network address either
 */
function toAuditEvent(event: NumberedEvent, visible: "all" | readonly number[]): FhirAuditEvent {
    const { action, outcome, detail } = event
    const outcomeCode = outcomes[outcome]
    const entity = [...patientsIn(event, visible), ...requestIn(event, visible)]
    return {
        resourceType: "AuditEvent",
        id: String(event.id),
        meta: { lastUpdated: new Date(event.at).toISOString() },
        ...kindOf(event),
        action: actions[action]!,
        recorded: new Date(event.at).toISOString(),
        ...(detail?.purpose === "BTG" && { purposeOfEvent: [{ coding: [breakTheGlass], text: "emergency access" }] }),
        ...(outcomeCode !== undefined && { outcome: outcomeCode }),
        ...(typeof detail?.problem === "string" && { outcomeDesc: detail.problem }),
        agent: [agentOf(event, visible === "all")],
        source: {
            observer: { display: "VitalMote clinic" },
            type: [{ system: `${terminology}/security-source-type`, code: "4", display: "Application Server" }],
        },
        ...(entity.length > 0 && { entity }),
    }
}

function kindOf({ subject, action }: NumberedEvent): Pick<FhirAuditEvent, "type" | "subtype"> {
    const own: Coding[] = [
        { system: "urn:vitalmote:audit-subject", code: subject },
        { system: "urn:vitalmote:audit-action", code: action },
    ]
    if (action === "sign-in")
        return {
            type: { system: dicom, code: "110114", display: "User Authentication" },
            subtype: [{ system: dicom, code: "110122", display: "Login" }, ...own],
        }
    const code = interactions[action]
    if (code === undefined)
        return { type: { system: dicom, code: "110100", display: "Application Activity" }, subtype: own }
    return {
        type: { system: `${terminology}/audit-event-type`, code: "rest", display: "RESTful Operation" },
        subtype: [{ system: "http://hl7.org/fhir/restful-interaction", code }, ...own],
    }
}

function agentOf(
    { user, role, credential, address, action }: NumberedEvent,
    withAddress: boolean,
): FhirAuditEvent["agent"][0] {
    if (user === null && action === "sign-in")
        return {
            who: { display: "unknown" },
            requestor: true,
            ...(withAddress && address !== null && { network: { address, type: "2" } }),
        }
    if (user === null) return { who: { display: "VitalMote clinic" }, requestor: false }
    return {
        ...(role !== null && { role: [{ coding: [{ system: "urn:vitalmote:role", code: role }], text: role }] }),
        who: { identifier: { system: "urn:vitalmote:user", value: user }, display: user },
        ...(credential !== null && { altId: credential }),
        name: user,
        requestor: true,
        ...(withAddress && address !== null && { network: { address, type: "2" } }),
    }
}

function patientsIn({ patients }: NumberedEvent, visible: "all" | readonly number[]): AuditEventEntity[] {
    return patients
        .filter(patient => visible === "all" || visible.includes(patient))
        .map(patient => ({
            what: { reference: `Patient/${patient}` },
            type: { system: `${terminology}/audit-entity-type`, code: "1", display: "Person" },
            role: { system: `${terminology}/object-role`, code: "1", display: "Patient" },
        }))
}

/** The address may name somebody else. */
function requestIn({ request, detail }: NumberedEvent, visible: "all" | readonly number[]): AuditEventEntity[] {
    const said = Object.entries(detail ?? {}).filter(([name]) => name !== "problem" && name !== "purpose")
    if (visible !== "all" || (request === null && said.length === 0)) return []
    return [
        {
            type: { system: `${terminology}/audit-entity-type`, code: "2", display: "System Object" },
            ...(request !== null && { name: request }),
            ...(said.length > 0 && {
                detail: said.map(([type, value]) => ({ type, valueString: String(value) })),
            }),
        },
    ]
}
