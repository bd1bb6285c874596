import { news2 } from "./en-news2.ts"
import { statistics } from "./en-statistics.ts"
import { alarmKindOf } from "../../../wire/tables/alarm-kinds.ts"
import { problemText, type Problem } from "../../../wire/tables/problems.ts"
import { quantities, units, type UnitName, type VitalName } from "../../../wire/tables/quantities.ts"
import { refusalText, type Refusal } from "../../../wire/tables/refusals.ts"

/** What the signal of a heart rate is worth, from the worst on. */
type SignalWord = "poor" | "weak" | "fair" | "good"

/** English, and the list of what has to be said in every other language. */
export const en = {
    /** In its own language. */
    name: "English",

    shell: {
        product: "VitalMote",
        logOut: "Log out",
        skip: "To the content",
        views: "Views",
        ward: "Ward",
        language: "Language",
        lost: "Connection lost. Values may be out of date. Reconnecting …",
        newAlarms: (count: number) => `⚠ ${count}`,
    },
    login: {
        user: "User",
        password: "Password",
        logIn: "Log in",
    },
    sound: {
        off: "No sound: start",
        blocked: "Sound blocked: start again",
        on: "Sound on: test",
    },

    age: {
        seconds: (n: number) => `${n} s`,
        minutes: (n: number) => `${n} min`,
        hours: (n: number) => `${n} h`,
        days: (n: number) => `${n} d`,
        ago: (age: string) => `${age} ago`,
        ahead: (age: string) => `${age} ahead of the clinic's clock`,
        about: (what: string) => `about ${what}`,
    },

    vital: {
        label: (name: VitalName): string => quantities[name].short,
        spokenUnit: (unit: UnitName): string => units[unit].spoken,
        signal: (word: SignalWord) => `signal ${word}`,
        noValueYet: "no value yet",
        noValue: "no value",
        moving: "moving",
        weakSignal: "weak signal",
        old: (age: string) => `old: ${age}`,
        wrongTime: (age: string) => `wrong time: ${age}`,
    },
    contact: {
        none: "no data yet",
        wrongTime: "wrong time",
        silent: (age: string) => `no data for ${age}`,
        live: "live",
        measured: (ago: string) => `measured ${ago}`,
    },

    conditions: {
        routerAhead: (router: string, by: string) => `The clock of ${router} is ${by} ahead. Times are corrected.`,
        routerBehind: (router: string, by: string) => `The clock of ${router} is ${by} behind. Times are corrected.`,
        routerSilent: (router: string, age: string) =>
            `Nothing heard of ${router} for ${age}. Its motes cannot be heard.`,
        storeLost: (router: string, when: string) => `${router} lost its store on ${when}. Readings may be missing.`,
        storeFull: "The clinic's disk is full. New readings are not stored.",
        storeFailed: "The clinic's database has failed. New readings are not stored.",
    },

    alarms: {
        heading: "Alarms",
        none: "No alarms",
        count: (all: number, unseen: number) =>
            `${all === 1 ? "1 alarm" : `${all} alarms`}, ${unseen === 0 ? "all" : unseen} ${unseen === 0 ? "acknowledged" : "not acknowledged"}`,
        kind: (kind: string): string => alarmKindOf(kind).label,
        announced: (what: string, who: string) => `Alarm: ${what}, ${who}`,
        acknowledge: "Acknowledge",
        acknowledgeFor: (who: string) => `Acknowledge: ${who}`,
        notAcknowledged: "not acknowledged",
        acknowledgedBy: (name: string, ago: string) => `✓ acknowledged by ${name}, ${ago}`,
        failed: (why: string) => `Not acknowledged: ${why}`,
        lasting: (age: string) => `for ${age}`,
        over: (ago: string) => `over ${ago}`,
        overLasted: (ago: string, lasted: string) => `over ${ago}, lasted ${lasted}`,
    },
    history: {
        heading: "Alarm history",
        alarm: "Alarm",
        began: "Began",
        lasted: "Lasted",
        acknowledged: "Acknowledged",
        all: "Show all",
        loading: "Loading …",
        failed: (why: string) => `Could not be loaded: ${why}`,
        none: "None.",
        ongoing: "ongoing",
        no: "no",
        by: (name: string, when: string) => `${name}, ${when}`,
        wrongTime: (when: string) => `${when}, wrong time`,
    },

    ward: {
        heading: "Ward",
        empty: "No patients on the ward.",
        bed: (bed: string) => `Bed ${bed}`,
        name: (family: string, given: string) => `${family}, ${given}`,
        search: "Search name, bed, ward",
        nobodyFound: "Nobody found.",
        whichWard: "Which ward",
        everyWard: "All wards",
        noWard: "No ward",
        group: (ward: string, count: number) => `${ward} (${count})`,
        whom: "Whom to show",
        kinds: { all: "Everybody", alarms: "With an alarm", silent: "Without data" },
        order: "Order",
        orders: { bed: "By bed", worst: "Worst first" },
    },
    wall: {
        heading: "Wall",
        cutOff: "CUT OFF",
        since: (when: string) => `Nothing heard since ${when}. These are not the values of now.`,
    },
    session: {
        ends: (when: string, left: string) => `Your session ends at ${when}, in ${left}.`,
        stay: "Stay logged in",
        again: (user: string) => `Password of ${user}`,
        over: "You have been logged out. Nobody is watching on this page.",
    },
    patient: {
        back: "← Ward",
        unknown: (id: string) => `There is no patient ${id} here`,
        unknownHint: "Discharged, of another ward, or a wrong address. The ward shows everybody who is here.",
        unknownMote: (mote: string) => `Nobody here wears a mote ${mote}`,
        unknownPage: "There is no such page",
        loading: "Looking …",
        failed: (what: string, why: string) => `${what}: ${why}`,
        historyFailed: (why: string) => `Earlier values could not be loaded: ${why}`,
    },
    news2,
    statistics,
    chart: {
        timeShown: "Time shown",
        range: { m5: "5 min", h1: "1 h", h8: "8 h", h24: "24 h" },
        now: "now",
        caption: (label: string, unit: string) => `${label}, ${unit}`,
        values: (min: string, max: string, unit: string) => `from ${min} to ${max} ${unit}`,
        noValues: "no values",
        described: (label: string, range: string, values: string) => `${label}, last ${range}: ${values}`,
    },

    config: {
        heading: "Settings of mote ",
        versions: "Versions",
        columns: { version: "Version", made: "Made", by: "By", outcome: "Outcome", changes: "Changes" },
        field: (_name: string, english: string) => english,
        choice: (_field: string, english: string) => english,
        description: (_name: string, english: string) => english,
        hint: (values: string, description: string) => `${values}; ${description} `,
        usually: (value: string) => `usually ${value}`,
        between: (min: string, max: string, value: string) => `${min} to ${max}, usually ${value}`,
        usuallyEmpty: "usually empty",
        save: "Save",
        blink: "Make it blink",
        discard: "Discard unsent readings",
        discardSure: "Discard the readings that this mote has not sent yet? They will be lost.",
        unchanged: "Nothing has changed.",
        notSaved: (why: string) => `Not saved: ${why}`,
        onItsWay: "On its way to the mote.",
        notSent: (why: string) => `Not sent: ${why}`,
        notLoaded: (why: string) => `The settings could not be loaded: ${why}`,
        change: (label: string, value: string) => `${label}: ${value}`,
        noChange: "none",
        quoted: (label: string) => `“${label}”`,
        notReported: "not reported yet",
        reported: (when: string) => `reported ${when}`,
        first: "first settings",
        version: (n: number) => `version ${n}`,
        inForce: (which: string, heard: string) => `In force: ${which} (${heard}).`,
        newest: (n: number, state: string, inForce: string) => `Version ${n}: ${state}. ${inForce}`,
        pending: "waiting for the mote",
        applied: "applied",
        refused: "refused",
        rolledBack: "rolled back",
        superseded: "superseded",
        because: (what: string, why: string) => `${what}: ${why}`,
        asProvisioned: "as provisioned",
    },

    problem: (problem: Problem): string => problemText(problem),
    refusal: (refusal: Refusal, nameOf?: (setting: string) => string): string => refusalText(refusal, nameOf),
    answered: (status: number) => `the clinic answered ${status}`,
    noAnswer: "no answer from the clinic",
}
