import { unitText } from "./quantities.ts"
import { configFields, configRelations, routerField, type ConfigField } from "./settings.ts"

/*
 * The reasons for which a mote or the clinic refuses a configuration or a command: codes with parameters, from the
 * firmware to the page. The firmware has its own table in src/link/refusal.ts; a test compares the two. `refusalText`
 * turns a refusal into words where people read it.
 */

export interface RefusalKind {
    /** The code on the wire. */
    readonly number: number
    /** The parameters on the wire, in this order. `setting` and `other` are numbers of settings. */
    readonly parameters: readonly RefusalParameter[]
    /** The meaning, for the documentation. */
    readonly meaning: string
    /** The mote had applied the configuration on trial and rolled it back. */
    readonly isRolledBack?: true
}

type RefusalParameter = "setting" | "other" | "min" | "max" | "newest" | "index" | "seconds"

export const refusalKinds = {
    "not-authentic": { number: 1, parameters: [], meaning: "not sealed for this mote and this purpose" },
    "version-old": { number: 2, parameters: ["newest"], meaning: "not above `newest`, the highest version so far" },
    busy: { number: 3, parameters: [], meaning: "the flash is busy with another write: try again" },
    "other-command": { number: 4, parameters: [], meaning: "not the command that its path or topic names" },
    malformed: { number: 5, parameters: [], meaning: "authentic, but neither a configuration nor a command" },
    "too-long": { number: 6, parameters: [], meaning: "a configuration of more than 208 bytes" },
    "unknown-setting": {
        ...{ number: 7, parameters: ["index"] },
        meaning: "pair `index` of the map, from 0, is not a setting of this firmware or has a value of the wrong type",
    },
    "out-of-range": {
        ...{ number: 8, parameters: ["setting", "min", "max"] },
        meaning: "not within `min` and `max`, or not a whole number",
    },
    conflict: { number: 9, parameters: ["setting", "other"], meaning: "incompatible with the value of `other`" },
    "not-a-router": { number: 10, parameters: [], meaning: "`router` is not a router's address" },
    "taken-back": { number: 11, parameters: [], meaning: "refused or rolled back before, under the same version" },
    "flash-full": { number: 12, parameters: [], meaning: "the flash cannot store it; it may be delivered again" },
    "no-receipt": {
        ...{ number: 13, parameters: ["seconds"], isRolledBack: true },
        meaning: "no receipt from the new router within `seconds`",
    },
    "restarted-on-trial": {
        ...{ number: 14, parameters: [], isRolledBack: true },
        meaning: "the mote restarted before a receipt from the new router arrived",
    },
    unreachable: {
        ...{ number: 15, parameters: [] },
        meaning: "this board cannot connect to `router`: it needs a host name and cannot use TLS",
    },
} as const satisfies Record<string, RefusalKind>

/** `unknown` stands for a newer mote's code that is not in the table; `number` has its value. */
export type RefusalCode = keyof typeof refusalKinds | "unknown"

/** A refusal on the host: its code and the parameters of that code. */
export interface Refusal {
    readonly code: RefusalCode
    /** The name of a setting. */
    readonly setting?: string
    /** The name of the setting that it conflicts with. */
    readonly other?: string
    readonly min?: number
    readonly max?: number
    /** The highest version so far. */
    readonly newest?: number
    /** The index of a pair in the map, before the setting's name is looked up. */
    readonly index?: number
    readonly seconds?: number
    readonly number?: number
}

export function isRolledBack({ code }: Refusal): boolean {
    return code !== "unknown" && (refusalKinds[code] as RefusalKind).isRolledBack === true
}

/**
 * Returns the refusal as one line for people, without a full stop.
 * @param nameOf returns a setting's label; by default its name
 */
export function refusalText(refusal: Refusal, nameOf: (setting: string) => string = name => name): string {
    const { code, index, newest, seconds, number } = refusal
    const setting = refusal.setting === undefined ? undefined : nameOf(refusal.setting)
    switch (code) {
        case "not-authentic":
            return "not authentic"
        case "version-old":
            return `the version has to be above ${newest}`
        case "busy":
            return "the mote is busy"
        case "other-command":
            return "the command does not match its address"
        case "malformed":
            return "not a configuration"
        case "too-long":
            return "too long for a mote"
        case "unknown-setting":
            return `unknown setting ${setting ?? `at position ${(index ?? 0) + 1}`}`
        case "out-of-range":
            return `${setting}: ${rangeText(refusal)}`
        case "conflict":
            return conflictText(refusal, nameOf)
        case "not-a-router":
            return `${nameOf(routerField.name)}: ${routerField.expected}, at most ${routerField.maxBytes} bytes`
        case "taken-back":
            return "refused or taken back before; save it again under a new version"
        case "flash-full":
            return "the mote's flash cannot store it"
        case "no-receipt":
            return `no receipt within ${seconds} s`
        case "restarted-on-trial":
            return "the mote restarted before a receipt arrived"
        case "unreachable":
            return `${nameOf(routerField.name)}: this board needs a host name and cannot use TLS`
        case "unknown":
            return `unknown reason (${number})`
    }
    // A newer clinic may have codes that this table lacks.
    return String(code)
}

/** The range comes from the refusal, because another firmware may have other limits. */
function rangeText({ setting, min, max }: Refusal): string {
    const field: ConfigField | undefined = configFields.find(({ name }) => name === setting)
    if (field?.choices) return field.choices.join(", ")
    const step = field && field.step !== 1 ? ` in steps of ${field.step}` : ""
    return `${min} to ${max} ${unitText(field?.unit ?? "")}`.trim() + step
}

function conflictText({ setting = "", other = "" }: Refusal, nameOf: (setting: string) => string): string {
    const relation = configRelations.find(pair => pair.name === setting && pair.other === other)?.relation
    const what = relation === undefined ? "is incompatible with" : `has to be ${relation}`
    return `${nameOf(setting)} ${what} ${nameOf(other)}`
}
