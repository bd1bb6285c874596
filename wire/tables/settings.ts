/*
 * What can be set on a mote: the one table that clinic, page, command line, simulator and documentation derive theirs from. The
 * firmware has its own in src/config/plaintext.ts; a test holds them against each other. A page can bundle this file.
 */

/** A setting that is a number. */
export interface ConfigField {
    readonly name: string
    /** What people call it. */
    readonly label: string
    /** As in SenML, where it has one. */
    readonly unit: string
    readonly min: number
    readonly max: number
    readonly default: number
    readonly step: number
    readonly description: string
    /** What the numbers 0, 1, … mean, where they are choices. */
    readonly choices?: readonly string[]
}

export const configFields = [
    {
        name: "hrLow",
        label: "Heart rate, low limit",
        unit: "beat/min",
        ...{ min: 20, max: 200, default: 40, step: 1 },
        description: "alarm when the heart rate is lower",
    },
    {
        name: "hrHigh",
        label: "Heart rate, high limit",
        unit: "beat/min",
        ...{ min: 30, max: 250, default: 130, step: 1 },
        description: "alarm when the heart rate is higher",
    },
    {
        name: "tempLow",
        label: "Temperature, low limit",
        unit: "Cel",
        ...{ min: 25, max: 42, default: 35, step: 0.1 },
        description: "alarm when the body temperature is lower",
    },
    {
        name: "tempHigh",
        label: "Temperature, high limit",
        unit: "Cel",
        ...{ min: 30, max: 45, default: 38.5, step: 0.1 },
        description: "alarm when the body temperature is higher",
    },
    {
        name: "spo2Low",
        label: "Oxygen saturation, low limit",
        unit: "%",
        ...{ min: 70, max: 99, default: 90, step: 1 },
        description: "alarm when the oxygen saturation is lower",
    },
    {
        name: "delay",
        label: "Wait before an alarm",
        unit: "s",
        ...{ min: 0, max: 600, default: 10, step: 1 },
        description: "how long a value must be beyond a limit, or a sensor gone, before an alarm is raised",
    },
    {
        name: "sample",
        label: "Keep a reading every",
        unit: "s",
        ...{ min: 2, max: 600, default: 2, step: 2 },
        description: "interval between readings that are kept",
    },
    {
        name: "report",
        label: "Send at least every",
        unit: "s",
        ...{ min: 2, max: 600, default: 10, step: 1 },
        description: "how long a reading may wait for others before it is sent",
    },
    {
        name: "power",
        label: "Power mode",
        unit: "",
        ...{ min: 0, max: 2, default: 0, step: 1 },
        choices: ["continuous", "interval", "standby"],
        description: "continuous watches without a pause; the others save battery and see nothing between measurements",
    },
    {
        name: "every",
        label: "Measure every",
        unit: "s",
        ...{ min: 60, max: 3600, default: 300, step: 1 },
        description: "interval between measurements, unless the power mode is continuous",
    },
    {
        name: "quality",
        label: "Least signal quality",
        unit: "%",
        ...{ min: 0, max: 90, default: 0, step: 1 },
        description: "no heart rate is reported from a worse signal",
    },
    {
        name: "led",
        label: "Most LED current",
        unit: "mA",
        ...{ min: 1, max: 50, default: 50, step: 1 },
        description: "the most that an LED of the optical sensor may draw",
    },
    {
        name: "trial",
        label: "Try a new router for",
        unit: "s",
        ...{ min: 30, max: 3600, default: 120, step: 1 },
        description: "without a receipt by then, the mote goes back to the router before",
    },
] as const satisfies readonly ConfigField[]

/** The one setting that is a text. */
export const routerField = {
    name: "router",
    label: "Router",
    maxBytes: 64,
    default: "",
    description: "coap+tcp://HOST:PORT, or coaps+tcp, mqtt, mqtts; empty: as provisioned",
} as const

export type ConfigName = (typeof configFields)[number]["name"]
/** A configuration in the units of the table; `router` is empty for the one that was provisioned. */
export type ConfigValues = Record<ConfigName, number> & { router: string }

/** Settings that have to fit together. */
export const configRelations = [
    { name: "report", relation: "at least", other: "sample" },
    { name: "hrLow", relation: "below", other: "hrHigh" },
    { name: "tempLow", relation: "below", other: "tempHigh" },
] as const satisfies readonly { name: ConfigName; relation: "at least" | "below"; other: ConfigName }[]

/** The values cannot be a configuration; the message is one line that says what can. */
export class ConfigError extends Error {}

/** What a mote does that never got a configuration. */
export const defaultConfig: Readonly<ConfigValues> = Object.freeze({
    ...(Object.fromEntries(configFields.map(field => [field.name, field.default])) as Record<ConfigName, number>),
    router: routerField.default,
})

/**
 * Values as anyone may give them, such as a request's JSON: known names only, each in its range and on its step, and
 * fitting together, what is absent being as by default. Throws ConfigError.
 */
export function checkConfig(values: unknown): Partial<ConfigValues> {
    if (typeof values !== "object" || values === null || Array.isArray(values))
        throw new ConfigError("a configuration is an object of settings")
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
        if (!fits) throw new ConfigError(`${name}: has to be ${relation} ${other}`)
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
    if (!field) throw new ConfigError(`${/^\w{1,16}$/.test(name) ? name : "name"}: unknown`)
    return field
}

function choicesOf(field: ConfigField): readonly string[] {
    return field.choices ?? []
}

function checkNumber(field: ConfigField, value: unknown): number {
    const { name, unit, min, max, step, choices } = field
    if (typeof value === "number" && value >= min && value <= max) {
        const steps = value / step
        if (Math.abs(steps - Math.round(steps)) < 1e-6) return value
    }
    if (choices) throw new ConfigError(`${name}: ${choices.join(", ")}`)
    const inSteps = step === 1 ? "" : ` in steps of ${step}`
    throw new ConfigError(`${name}: ${min}…${max} ${unit}${inSteps}`)
}

/** As the mote's src/link/endpoint.ts understands it. */
const endpoint = /^(?:coap\+tcp|coaps\+tcp|mqtt|mqtts):\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/

function checkRouter(value: unknown): string {
    if (value === "") return value
    const { maxBytes } = routerField
    const match = typeof value === "string" && value.length <= maxBytes && endpoint.exec(value)
    const port = match ? Number(match[1] ?? 1) : 0
    if (!match || port < 1 || port > 65_535)
        throw new ConfigError(`router: coap+tcp://HOST:PORT, coaps+tcp, mqtt or mqtts, at most ${maxBytes} bytes`)
    return match[0]
}
