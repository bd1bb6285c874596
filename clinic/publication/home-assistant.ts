import { quantities, unitText, type VitalName } from "../../wire/tables/quantities.ts"
import type { Patient } from "../people/patients.ts"
import { patientTopic, type PublishedMessage } from "./messages.ts"
import type { PublicationPlan } from "./plan.ts"

/** The prefix under which Home Assistant looks for devices, unless it is told otherwise. */
const discoveryPrefix = "homeassistant"
/** Home Assistant shows a value that is older as unavailable. */
const expireAfterS = 900

/** Where a clinic says whether it publishes: `online`, by its last will `offline`. */
export function statusTopic({ prefix }: PublicationPlan): string {
    return `${prefix}/status`
}

/** Retained messages from which Home Assistant makes a device of the patient (its documentation, "MQTT Discovery"). */
export function discovery(plan: PublicationPlan, patient: Patient, pseudonym: string): PublishedMessage[] {
    const topic = patientTopic(plan, patient, pseudonym)
    const { hasNames } = plan
    const name = hasNames ? `${patient.family}, ${patient.given}` : `Patient ${pseudonym.slice(0, 4)}`
    const device = {
        ...{ identifiers: [`vitalmote_${pseudonym}`], name, manufacturer: "VitalMote" },
        ...(patient.ward !== null && { suggested_area: patient.ward }),
    }
    const common = { device, availability_topic: statusTopic(plan) }
    const sensors = plan.quantities.map(quantity => {
        const { label, unit, digits } = quantities[quantity]
        return discovered(plan, pseudonym, quantity, {
            ...{ name: label, unique_id: `vitalmote_${pseudonym}_${quantity}`, state_topic: `${topic}/${quantity}` },
            ...{ value_template: "{{ value_json.value }}", unit_of_measurement: unitText(unit) },
            ...{ state_class: "measurement", expire_after: expireAfterS, suggested_display_precision: digits },
            ...(quantity === "temp" && { device_class: "temperature" }),
            ...common,
        })
    })
    if (!plan.hasAlarms) return sensors
    const alarm = {
        ...{ name: "Alarm", unique_id: `vitalmote_${pseudonym}_alarm`, state_topic: `${topic}/alarm` },
        event_types: ["raised", "worsened", "again", "cleared", "closed"],
        value_template:
            '{"event_type": "{{ value_json.change }}", "kind": "{{ value_json.label }}", "priority": "{{ value_json.priority }}"}',
        ...common,
    }
    return [...sensors, discovered(plan, pseudonym, "alarm", alarm)]
}

/** Empty messages that remove the device. */
export function removal(plan: PublicationPlan, pseudonym: string): PublishedMessage[] {
    const names = [...plan.quantities, ...(plan.hasAlarms ? (["alarm"] as const) : [])]
    return names.map(name => discovered(plan, pseudonym, name, undefined))
}

function discovered(
    { prefix }: PublicationPlan,
    pseudonym: string,
    name: VitalName | "alarm",
    config: object | undefined,
): PublishedMessage {
    const component = name === "alarm" ? "event" : "sensor"
    const node = `${prefix.replace(/[^\w-]/g, "_")}_${pseudonym}`
    const payload = config ? JSON.stringify(config) : ""
    return { topic: `${discoveryPrefix}/${component}/${node}/${name}/config`, payload, retain: true }
}
