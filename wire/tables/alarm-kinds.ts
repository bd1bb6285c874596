import { quantities, type QuantityName } from "./quantities.ts"
import type { ConfigName } from "./settings.ts"

/*
 * The alarm kinds. The clinic, its page and the documentation derive from this table. The firmware has its own in
 * src/alarms/kind.ts; a test compares the two. A page can bundle this file.
 */

/** An alarm lasts while the quantity is beyond this limit. */
export interface AlarmLimit {
    readonly quantity: QuantityName
    readonly side: "low" | "high"
    /** A setting of the mote, or a fixed value in the quantity's unit. */
    readonly limit: ConfigName | number
    /** How far within the limit the quantity must return before the alarm ends. */
    readonly hysteresis: number
    /** An acknowledged alarm demands attention again when the quantity has worsened by this much. */
    readonly step: number
}

/** A fault without a value. */
export interface AlarmFault {
    /** The condition that begins the alarm, for the documentation. */
    readonly begin: string
    /** The condition that ends it, for the documentation. */
    readonly end: string
    /** What its value is, where it has one: a point in time (unix s), or how many. */
    readonly value?: "time" | "count"
}

/** The priorities of IEC 60601-1-8, the most urgent first. */
export const priorities = ["high", "medium", "low"] as const
export type Priority = (typeof priorities)[number]

/** The urgency of a kind. */
export interface PriorityRule {
    readonly priority: Priority
    /** Alarms whose value is beyond the limit by `beyond` or more have this priority. */
    readonly severe?: { readonly beyond: number; readonly priority: Priority }
}

/** The category is that of IEC 60601-1-8: physiological concerns the patient, technical the equipment. */
export interface AlarmKind extends PriorityRule {
    readonly label: string
    readonly category: "physiological" | "technical"
    readonly raisedBy: "mote" | "clinic"
    /** Its number on the wire, if a mote raises it. */
    readonly number?: number
    readonly cause: AlarmLimit | AlarmFault
}

export const alarmKinds = {
    "hr-low": {
        ...{ label: "Heart rate low", category: "physiological", priority: "medium", raisedBy: "mote", number: 0 },
        severe: { beyond: 10, priority: "high" },
        cause: { quantity: "hr", side: "low", limit: "hrLow", hysteresis: 5, step: 10 },
    },
    "hr-high": {
        ...{ label: "Heart rate high", category: "physiological", priority: "medium", raisedBy: "mote", number: 1 },
        severe: { beyond: 20, priority: "high" },
        cause: { quantity: "hr", side: "high", limit: "hrHigh", hysteresis: 5, step: 10 },
    },
    "temp-low": {
        ...{ label: "Temperature low", category: "physiological", priority: "medium", raisedBy: "mote", number: 2 },
        severe: { beyond: 1, priority: "high" },
        cause: { quantity: "temp", side: "low", limit: "tempLow", hysteresis: 0.3, step: 0.5 },
    },
    "temp-high": {
        ...{ label: "Temperature high", category: "physiological", priority: "medium", raisedBy: "mote", number: 3 },
        severe: { beyond: 1.5, priority: "high" },
        cause: { quantity: "temp", side: "high", limit: "tempHigh", hysteresis: 0.3, step: 0.5 },
    },
    "spo2-low": {
        ...{
            label: "Oxygen saturation low",
            category: "physiological",
            priority: "medium",
            raisedBy: "mote",
            number: 8,
        },
        severe: { beyond: 5, priority: "high" },
        cause: { quantity: "spo2", side: "low", limit: "spo2Low", hysteresis: 2, step: 3 },
    },
    optical: {
        ...{ label: "Optical sensor failed", category: "technical", priority: "low", raisedBy: "mote", number: 4 },
        cause: { begin: "the optical sensor does not answer", end: "it answers" },
    },
    thermometer: {
        ...{ label: "Thermometer failed", category: "technical", priority: "low", raisedBy: "mote", number: 5 },
        cause: { begin: "the thermometer does not answer", end: "it answers" },
    },
    contact: {
        ...{ label: "No skin contact", category: "technical", priority: "low", raisedBy: "mote", number: 6 },
        cause: { begin: "the optical sensor sees no skin", end: "it sees skin" },
    },
    battery: {
        ...{ label: "Battery low", category: "technical", priority: "low", raisedBy: "mote", number: 7 },
        cause: { quantity: "batt", side: "low", limit: 15, hysteresis: 5, step: 5 },
    },
    "mote-silent": {
        ...{ label: "Mote silent", category: "technical", priority: "medium", raisedBy: "clinic" },
        cause: { begin: "nothing arrives from the mote for longer than its settings allow", end: "something arrives" },
    },
    "readings-flawed": {
        ...{ label: "Readings with a problem", category: "technical", priority: "medium", raisedBy: "clinic" },
        cause: {
            begin: "3 of the last 10 envelopes of a mote have a problem, such as a wrong clock, which hides their readings",
            end: "the last 10 have none",
        },
    },
    "readings-missing": {
        ...{ label: "Readings missing", category: "technical", priority: "low", raisedBy: "clinic" },
        cause: {
            begin: "envelopes have been missing for 10 minutes while later ones are there",
            end: "they have arrived, or the next 100 are complete",
            value: "count",
        },
    },
    "battery-ending": {
        ...{ label: "Battery will not last the night", category: "technical", priority: "low", raisedBy: "clinic" },
        cause: {
            begin: "between 18:00 and 07:00, a mote's battery is going to be empty before 07:00 by its trend",
            end: "it is charged or changed, or its trend lasts until an hour after that",
            value: "time",
        },
    },
    "news2-7": {
        ...{ label: "NEWS2 is 7 or more", category: "physiological", priority: "high", raisedBy: "clinic" },
        cause: { begin: "what is known of the score adds up to 7 or more", end: "it has been lower for 10 minutes" },
    },
    "news2-5": {
        ...{ label: "NEWS2 is 5 or more", category: "physiological", priority: "medium", raisedBy: "clinic" },
        cause: { begin: "what is known of the score adds up to 5 or more", end: "it has been lower for 10 minutes" },
    },
    "news2-3": {
        ...{ label: "NEWS2 with a single 3", category: "physiological", priority: "low", raisedBy: "clinic" },
        cause: { begin: "one parameter scores 3, and the sum is below 5", end: "none has for 10 minutes" },
    },
    "router-silent": {
        ...{ label: "Router silent", category: "technical", priority: "high", raisedBy: "clinic" },
        cause: { begin: "nothing is heard of a router for 25 s, and so of none of its motes", end: "it is heard" },
    },
    "router-clock": {
        ...{ label: "Router's clock wrong", category: "technical", priority: "low", raisedBy: "clinic" },
        cause: { begin: "a router's clock is more than 5 s off; times are corrected by that", end: "it is right" },
    },
    "channel-failed": {
        ...{ label: "People cannot be told", category: "technical", priority: "medium", raisedBy: "clinic" },
        cause: { begin: "a channel of `--notify` fails for longer than a minute", end: "an attempt succeeds" },
    },
    "disk-filling": {
        ...{ label: "Disk almost full", category: "technical", priority: "medium", raisedBy: "clinic" },
        cause: { begin: "the clinic's disk has less than 512 MiB free", end: "it has more" },
    },
    "certificate-ending": {
        ...{ label: "Certificate about to end", category: "technical", priority: "low", raisedBy: "clinic" },
        cause: { begin: "the clinic's certificate ends within 14 days and was not renewed", end: "it was renewed" },
    },
    "backup-overdue": {
        ...{ label: "No backup", category: "technical", priority: "low", raisedBy: "clinic" },
        cause: {
            begin: "the clinic's scheduled backup failed, or the newest one is twice as old as it should be",
            end: "one succeeds",
        },
    },
} as const satisfies Record<string, AlarmKind>

export type AlarmKindName = keyof typeof alarmKinds

/**
 * Returns the kind of that name. A newer mote may raise an unknown kind: it counts as physiological with high priority,
 * and its name is its label.
 */
export function alarmKindOf(name: string): AlarmKind {
    if (Object.hasOwn(alarmKinds, name)) return alarmKinds[name as AlarmKindName]
    return { ...unknownKind, label: name }
}

const unknownKind: Omit<AlarmKind, "label"> = {
    ...{ category: "physiological", priority: "high", raisedBy: "mote" },
    cause: { begin: "unknown", end: "unknown" },
}

/** Returns the SenML unit of the value that causes such an alarm, or null if no value does. */
export function alarmUnit({ cause }: AlarmKind): string | null {
    if ("quantity" in cause) return quantities[cause.quantity].unit
    return cause.value === undefined ? null : cause.value === "time" ? "s" : "count"
}

/** True where the value of such an alarm is a point in time, unix s. */
export function isTimeAlarm({ cause }: AlarmKind): boolean {
    return "value" in cause && cause.value === "time"
}
