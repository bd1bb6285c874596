import type { AuditEvent as FhirAuditEvent, AuditEventEntity, Coding } from "@medplum/fhirtypes"
import type { NumberedEvent } from "../audit/audit.ts"
import type { AuditAction, AuditOutcome } from "../audit/event.ts"

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

/**
 * An event of the audit record in FHIR R4.
 * @param visible the patients who may stand in it; unless everybody may, without the network address either
 */
export function toAuditEvent(event: NumberedEvent, visible: "all" | readonly number[]): FhirAuditEvent {
    const { action, outcome, detail } = event
    const outcomeCode = outcomes[outcome]
    const entity = [...patientsIn(event, visible), ...requestIn(event, visible)]
    return {
        resourceType: "AuditEvent",
        id: String(event.id),
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
