import type { Priority } from "../../../wire/tables/alarm-kinds.ts"
import type { Notice } from "../notice.ts"
import { segment, timestamp, type Field } from "./segment.ts"

/*
 * An alarm as HL7 ORU^R40, transaction PCD-04 of IHE's Alarm Communication Management (PCD Technical Framework, volume 2, §3.4): the
 * event and its facets are OBX segments whose sub-identifier ends in the facet's number. Codes are MDC (ISO/IEEE 11073-10101).
 */

/** Nomenclature codes of the quantities that an alarm may be about, with their units. */
const metrics: Record<string, { metric: Field; unit: Field }> = {
    hr: { metric: ["149530", "MDC_PULS_OXIM_PULS_RATE", "MDC"], unit: ["264864", "MDC_DIM_BEAT_PER_MIN", "MDC"] },
    spo2: { metric: ["150456", "MDC_PULS_OXIM_SAT_O2", "MDC"], unit: ["262688", "MDC_DIM_PERCENT", "MDC"] },
    temp: { metric: ["150364", "MDC_TEMP_BODY", "MDC"], unit: ["268192", "MDC_DIM_DEGC", "MDC"] },
}
const alarmEvent: Field = ["196616", "MDC_EVT_ALARM", "MDC"]
const tooHigh: Field = ["196652", "MDC_EVT_HI_VAL_GT_LIM", "MDC"]
const tooLow: Field = ["196674", "MDC_EVT_LO_VAL_LT_LIM", "MDC"]
const priorities: Record<Priority, string> = { high: "PH", medium: "PM", low: "PL" }
const profile: Field = ["IHE_PCD_ACM_001", "IHE PCD", "1.3.6.1.4.1.19376.1.6.4.4", "ISO"]

export interface Sender {
    /** Who sends, as MSH-3 and MSH-4 name it, and to whom. */
    application: string
    facility: string
    receivingApplication: string
    receivingFacility: string
}

/** The message, its segments ended by carriage returns. `notice.id` is its control id: the acknowledgement names it. */
export function alarmMessage(notice: Notice, sender: Sender): string {
    const { alarm, at, id, patient } = notice
    const device = notice.mote?.toUpperCase() ?? sender.application
    const key = [`${alarm.id}`, "", device, "EUI-64"]
    const [quantity = "", side] = alarm.kind.split("-")
    const known = metrics[quantity]
    const event =
        known && side === "high"
            ? tooHigh
            : known && side === "low"
              ? tooLow
              : ["0", `MDCX_EVT_${alarm.kind.toUpperCase().replaceAll("-", "_")}`, "MDC"]
    const flags = { raw: `${priorities[alarm.priority]}~${alarm.isTechnical ? "ST" : "SP"}` }
    const when = timestamp(at)
    let count = 0
    const facet = (type: string, code: Field, number: number, value: Field, unit: Field = null, flag: Field = null) => {
        const found = ["OBX", ++count, type, code, `1.0.0.0.${number}`, value, unit, null, flag] as const
        return segment(...found, null, null, "R", null, null, when)
    }
    return [
        segment(
            "MSH",
            ...[
                { raw: "^~\\&" },
                sender.application,
                sender.facility,
                sender.receivingApplication,
                sender.receivingFacility,
            ],
            ...[when, null, ["ORU", "R40", "ORU_R40"], id, "P", "2.6", null, null, "AL", "NE", null, "UNICODE UTF-8"],
            ...[null, null, profile],
        ),
        ...(patient ? [person(patient), place(patient)] : []),
        segment("OBR", 1, key, key, alarmEvent, null, null, timestamp(alarm.raisedAt)),
        facet("ST", event, 1, alarm.label, null, flags),
        ...(known && alarm.latest !== null ? [facet("NM", known.metric, 2, alarm.latest, known.unit)] : []),
        facet("ST", ["68481", "MDC_ATTR_EVENT_PHASE", "MDC"], 3, notice.phase),
        facet("ST", ["68482", "MDC_ATTR_ALARM_STATE", "MDC"], 4, stateOf(notice)),
        facet(
            "ST",
            ["68483", "MDC_ATTR_ALARM_INACTIVATION_STATE", "MDC"],
            5,
            alarm.by === null ? "enabled" : "audio-paused",
        ),
        "",
    ].join("\r")
}

function stateOf({ alarm, phase }: Notice): string {
    if (phase === "end") return "inactive"
    return alarm.isOver ? "latched" : "active"
}

function person(patient: NonNullable<Notice["patient"]>): string {
    const [family = "", given = ""] = patient.name.split(", ")
    return segment("PID", null, null, [patient.identifier ?? String(patient.id), null, null, "VitalMote", "PI"], null, [
        family,
        given,
    ])
}

/** PV1-3: point of care, room, bed. */
function place({ ward, bed }: NonNullable<Notice["patient"]>): string {
    return segment("PV1", null, "I", [ward, null, bed])
}
