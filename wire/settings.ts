import { refusalText, type Refusal } from "./tables/refusals.ts"
import {
    configFields,
    configRelations,
    defaultConfig,
    routerField,
    type ConfigField,
    type ConfigValues,
} from "./tables/settings.ts"

/* Settings as people and programs give them, checked by the table. */

/** The values cannot be a configuration; `refusal` says why, in the words of `refusalText` where nobody makes better ones. */
export class ConfigError extends Error {
    readonly refusal: Refusal

    constructor(refusal: Refusal) {
        super(refusalText(refusal))
        this.refusal = refusal
    }
}

/**
 * Values as anyone may give them, such as a request's JSON: known names only, each in its range and on its step, and
 * fitting together, what is absent being as by default. Throws ConfigError.
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

/** One value as people type it: `38.3`, `interval`, `mqtt://host`. Throws ConfigError. */
export function parseConfigValue(name: string, text: string): number | string {
    if (name === routerField.name) return checkRouter(text)
    const field = fieldOf(name)
    const choice = choicesOf(field).indexOf(text)
    if (choice >= 0) return choice
    return checkNumber(field, /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN)
}

/** A value as people read it: `interval`, `38.3`. */
export function formatConfigValue(name: keyof ConfigValues, value: number | string): string {
    if (name === routerField.name) return String(value)
    return choicesOf(fieldOf(name))[value as number] ?? String(value)
}

function fieldOf(name: string): (typeof configFields)[number] {
    const field = configFields.find(field => field.name === name)
    // What it is called comes from outside: only what could be a name is repeated.
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

/** As the mote's src/link/endpoint.ts understands it. */
const endpoint = /^(?:coap\+tcp|coaps\+tcp|mqtt|mqtts):\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/

function checkRouter(value: unknown): string {
    if (value === "") return value
    const match = typeof value === "string" && value.length <= routerField.maxBytes && endpoint.exec(value)
    const port = match ? Number(match[1] ?? 1) : 0
    if (!match || port < 1 || port > 65_535) throw new ConfigError({ code: "not-a-router" })
    return match[0]
}
