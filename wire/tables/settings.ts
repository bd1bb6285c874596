/*
 * The settings of a mote. The clinic, its page, the command line, the simulator and the documentation derive from this
 * table. The firmware has its own in src/config/plaintext.ts; a test compares the two. A page can bundle this file.
 */

/** A numeric setting. */
export interface ConfigField {
    readonly name: string
    /** Its number in refusals. */
    readonly number: number
    /** Its name for people. */
    readonly label: string
    /** Its SenML unit, empty if it has none. */
    readonly unit: string
    readonly min: number
    readonly max: number
    readonly default: number
    readonly step: number
    readonly description: string
    /** The meanings of the numbers 0, 1, … of an enumeration. */
    readonly choices?: readonly string[]
}

export const configFields = [
    {
        name: "hrLow",
        number: 1,
        label: "Heart rate, low limit",
        unit: "beat/min",
        ...{ min: 20, max: 200, default: 40, step: 1 },
        description: "alarm when the heart rate is lower",
    },
    {
        name: "hrHigh",
        number: 2,
        label: "Heart rate, high limit",
        unit: "beat/min",
        ...{ min: 30, max: 250, default: 130, step: 1 },
        description: "alarm when the heart rate is higher",
    },
    {
        name: "tempLow",
        number: 3,
        label: "Temperature, low limit",
        unit: "Cel",
        ...{ min: 25, max: 42, default: 35, step: 0.1 },
        description: "alarm when the body temperature is lower",
    },
    {
        name: "tempHigh",
        number: 4,
        label: "Temperature, high limit",
        unit: "Cel",
        ...{ min: 30, max: 45, default: 38.5, step: 0.1 },
        description: "alarm when the body temperature is higher",
    },
    {
        name: "spo2Low",
        number: 5,
        label: "Oxygen saturation, low limit",
        unit: "%",
        ...{ min: 70, max: 99, default: 90, step: 1 },
        description: "alarm when the oxygen saturation is lower",
    },
    {
        name: "delay",
        number: 6,
        label: "Wait before an alarm",
        unit: "s",
        ...{ min: 0, max: 600, default: 10, step: 1 },
        description: "how long a value must be beyond a limit, or a sensor missing, before an alarm is raised",
    },
    {
        name: "sample",
        number: 7,
        label: "Keep a reading every",
        unit: "s",
        ...{ min: 2, max: 600, default: 2, step: 2 },
        description: "interval between readings that are kept",
    },
    {
        name: "report",
        number: 8,
        label: "Send at least every",
        unit: "s",
        ...{ min: 2, max: 600, default: 10, step: 1 },
        description: "how long a reading may wait for others before it is sent",
    },
    {
        name: "power",
        number: 9,
        label: "Power mode",
        unit: "",
        ...{ min: 0, max: 2, default: 0, step: 1 },
        choices: ["continuous", "interval", "standby"],
        description:
            "continuous measures without a pause; the others save battery and see nothing between measurements",
    },
    {
        name: "every",
        number: 10,
        label: "Measure every",
        unit: "s",
        ...{ min: 60, max: 3600, default: 300, step: 1 },
        description: "interval between measurements, unless the power mode is continuous",
    },
    {
        name: "quality",
        number: 11,
        label: "Minimum signal quality",
        unit: "%",
        ...{ min: 0, max: 90, default: 0, step: 1 },
        description: "a weaker signal gives no heart rate",
    },
    {
        name: "led",
        number: 12,
        label: "Maximum LED current",
        unit: "mA",
        ...{ min: 1, max: 50, default: 50, step: 1 },
        description: "maximum current of each LED of the optical sensor",
    },
    {
        name: "trial",
        number: 13,
        label: "Try a new router for",
        unit: "s",
        ...{ min: 30, max: 3600, default: 120, step: 1 },
        description: "without a receipt within this time, the mote returns to its previous router",
    },
] as const satisfies readonly ConfigField[]

/** The only setting that is a text. */
export const routerField = {
    name: "router",
    label: "Router",
    maxBytes: 64,
    default: "",
    expected: "coap+tcp://HOST:PORT, coaps+tcp, mqtt or mqtts",
    description: "coap+tcp://HOST:PORT, or coaps+tcp, mqtt, mqtts; empty: as provisioned",
} as const

export type ConfigName = (typeof configFields)[number]["name"]
/** A configuration in the units of the table. An empty `router` means the provisioned one. */
export type ConfigValues = Record<ConfigName, number> & { router: string }

/** Relations that must hold between settings. */
export const configRelations = [
    { name: "report", relation: "at least", other: "sample" },
    { name: "hrLow", relation: "below", other: "hrHigh" },
    { name: "tempLow", relation: "below", other: "tempHigh" },
] as const satisfies readonly { name: ConfigName; relation: "at least" | "below"; other: ConfigName }[]

/** The configuration of a mote that has never received one. */
export const defaultConfig: Readonly<ConfigValues> = Object.freeze({
    ...(Object.fromEntries(configFields.map(field => [field.name, field.default])) as Record<ConfigName, number>),
    router: routerField.default,
})
