import { refusalText, type Refusal } from "./tables/refusals.ts"
import {
    configFields,
    configRelations,
    defaultConfig,
    routerField,
    type ConfigField,
    type ConfigValues,
} from "./tables/settings.ts"

/* Checks settings from people and programs against the table in wire/tables/settings.ts. */

/** The values are not a valid configuration. `refusal` has the reason; `message` is its `refusalText`. */
export class ConfigError extends Error {
    readonly refusal: Refusal

    constructor(refusal: Refusal) {
        super(refusalText(refusal))
        this.refusal = refusal
    }
}

/**
 * Checks untrusted values, such as a request's JSON. Names must be known, values must be within their range and on its
 * step, and values must fit together, where a missing one counts as its default. Throws ConfigError.
 */
export function checkConfig(values: unknown): Partial<ConfigValues> {
    if (typeof values !== "object" || values === null || Array.isArray(values))
        throw new ConfigError({ code: "malformed" })
    const checked: Partial<ConfigValues> = {}
    for (const [name, value] of Object.entries(values)) {
        if (value === undefined) continue
        if (name === routerField.name) checked.router = checkRouter(value)
        else {
            const field = fieldOf(name)
            checked[field.name] = checkNumber(field, value)
        }
    }
    const all = { ...defaultConfig, ...checked }
    for (const { name, relation, other } of configRelations) {
        const fits = relation === "below" ? all[name] < all[other] : all[name] >= all[other]
        if (!fits) throw new ConfigError({ code: "conflict", setting: name, other })
    }
    return checked
}

/** Parses one value that a user typed, such as `38.3`, `interval` or `mqtt://host`. Throws ConfigError. */
export function parseConfigValue(name: string, text: string): number | string {
    if (name === routerField.name) return checkRouter(text)
    const field = fieldOf(name)
    const choice = choicesOf(field).indexOf(text)
    if (choice >= 0) return choice
    return checkNumber(field, /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN)
}

/** Formats a value for people, such as `interval` or `38.3`. */
export function formatConfigValue(name: keyof ConfigValues, value: number | string): string {
    if (name === routerField.name) return String(value)
    return choicesOf(fieldOf(name))[value as number] ?? String(value)
}

function fieldOf(name: string): (typeof configFields)[number] {
    const field = configFields.find(field => field.name === name)
    // The name is untrusted: the error repeats it only if it could be a setting's name.
    if (!field) throw new ConfigError({ code: "unknown-setting", setting: /^\w{1,16}$/.test(name) ? name : "?" })
    return field
}

function choicesOf(field: ConfigField): readonly string[] {
    return field.choices ?? []
}

function checkNumber(field: ConfigField, value: unknown): number {
    const { name: setting, min, max, step } = field
    if (typeof value === "number" && value >= min && value <= max) {
        const steps = value / step
        if (Math.abs(steps - Math.round(steps)) < 1e-6) return value
    }
    throw new ConfigError({ code: "out-of-range", setting, min, max })
}

/** The syntax of a router's address; src/link/endpoint.ts parses the same on the mote. */
const endpoint = /^(?:coap\+tcp|coaps\+tcp|mqtt|mqtts):\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/

function checkRouter(value: unknown): string {
    if (value === "") return value
    const match = typeof value === "string" && value.length <= routerField.maxBytes && endpoint.exec(value)
    const port = match ? Number(match[1] ?? 1) : 0
    if (!match || port < 1 || port > 65_535) throw new ConfigError({ code: "not-a-router" })
    return match[0]
}
