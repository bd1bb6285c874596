import { unitText } from "./quantities.ts"
import { configFields, configRelations, routerField, type ConfigField } from "./settings.ts"

/*
 * Why a mote, or the clinic, does not take a configuration or a command: a code with parameters, from the firmware to the page.
 * The one table; the firmware has its own in src/link/refusal.ts, and a test holds them against each other. Words are made of a
 * refusal where people read it, by `refusalText`.
 */

export interface RefusalKind {
    /** On the wire. */
    readonly number: number
    /** On the wire, in this order; `setting` and `other` as the number of a setting. */
    readonly parameters: readonly RefusalParameter[]
    /** For the documentation. */
    readonly meaning: string
    /** The mote worked by the configuration, on trial, and has taken it back. */
    readonly isRolledBack?: true
}

type RefusalParameter = "setting" | "other" | "min" | "max" | "newest" | "index" | "seconds"

export const refusalKinds = {
    "not-authentic": { number: 1, parameters: [], meaning: "not sealed for this mote and this purpose" },
    "version-old": { number: 2, parameters: ["newest"], meaning: "not above `newest`, the highest version so far" },
    busy: { number: 3, parameters: [], meaning: "the flash is busy with another write: try again" },
    "other-command": { number: 4, parameters: [], meaning: "another command than its path or topic says" },
    malformed: { number: 5, parameters: [], meaning: "authentic, but neither a configuration nor a command" },
    "too-long": { number: 6, parameters: [], meaning: "a configuration of more than 208 bytes" },
    "unknown-setting": {
        ...{ number: 7, parameters: ["index"] },
        meaning: "pair `index` of the map, counted from 0, is no setting of this firmware, or no value of one",
    },
    "out-of-range": {
        ...{ number: 8, parameters: ["setting", "min", "max"] },
        meaning: "not within `min` and `max`, or not a whole number",
    },
    conflict: { number: 9, parameters: ["setting", "other"], meaning: "does not fit together with `other`" },
    "not-a-router": { number: 10, parameters: [], meaning: "`router` is not a router's address" },
    "taken-back": { number: 11, parameters: [], meaning: "refused or rolled back before, under the same version" },
    "flash-full": { number: 12, parameters: [], meaning: "the flash does not keep it; may be delivered again" },
    "no-receipt": {
        ...{ number: 13, parameters: ["seconds"], isRolledBack: true },
        meaning: "no receipt by the new router within `seconds`",
    },
    "restarted-on-trial": {
        ...{ number: 14, parameters: [], isRolledBack: true },
        meaning: "the mote was restarted before a receipt came by the new router",
    },
    unreachable: {
        ...{ number: 15, parameters: [] },
        meaning: "`router` is out of this board's reach: it needs a name, without TLS",
    },
} as const satisfies Record<string, RefusalKind>

/** `unknown`: a newer mote has a code that is not in the table; `number` says which. */
export type RefusalCode = keyof typeof refusalKinds | "unknown"

/** A refusal as the host passes it on: its code, and the parameters that go with that. */
export interface Refusal {
    readonly code: RefusalCode
    /** Names of settings. */
    readonly setting?: string
    readonly other?: string
    readonly min?: number
    readonly max?: number
    /** The highest version so far. */
    readonly newest?: number
    /** Of a pair in the map, where nobody has looked up which setting that is. */
    readonly index?: number
    readonly seconds?: number
    readonly number?: number
}

export function isRolledBack({ code }: Refusal): boolean {
    return code !== "unknown" && (refusalKinds[code] as RefusalKind).isRolledBack === true
}

/**
 * The refusal in a line for people, without a full stop.
 * @param nameOf what they call a setting; without it, by its name
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
            return "another command"
        case "malformed":
            return "not a configuration"
        case "too-long":
            return "too long for a mote"
        case "unknown-setting":
            return `unknown setting ${setting ?? `at place ${(index ?? 0) + 1}`}`
        case "out-of-range":
            return `${setting}: ${rangeText(refusal)}`
        case "conflict":
            return conflictText(refusal, nameOf)
        case "not-a-router":
            return `${nameOf(routerField.name)}: ${routerField.expected}, at most ${routerField.maxBytes} bytes`
        case "taken-back":
            return "refused or taken back before; save it again under a new version"
        case "flash-full":
            return "the mote's flash does not keep it"
        case "no-receipt":
            return `no receipt within ${seconds} s`
        case "restarted-on-trial":
            return "the mote was restarted before a receipt came"
        case "unreachable":
            return `${nameOf(routerField.name)}: this board needs a name, without TLS`
        case "unknown":
            return `for a reason that is not known here (${number})`
    }
    // Of a newer clinic.
    return String(code)
}

/** The range is that of who refused: another firmware may have another one. */
function rangeText({ setting, min, max }: Refusal): string {
    const field: ConfigField | undefined = configFields.find(({ name }) => name === setting)
    if (field?.choices) return field.choices.join(", ")
    const step = field && field.step !== 1 ? ` in steps of ${field.step}` : ""
    return `${min} to ${max} ${unitText(field?.unit ?? "")}`.trim() + step
}

function conflictText({ setting = "", other = "" }: Refusal, nameOf: (setting: string) => string): string {
    const relation = configRelations.find(pair => pair.name === setting && pair.other === other)?.relation
    const what = relation === undefined ? "does not fit together with" : `has to be ${relation}`
    return `${nameOf(setting)} ${what} ${nameOf(other)}`
}
