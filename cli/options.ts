import { readFileSync } from "node:fs"
import { InvalidArgumentError, Option, type Command } from "commander"
import { isTimeZone } from "../clinic/index.ts"
import { accelerationUnits } from "../sim/index.ts"
import { Faults } from "./check/faults.ts"
import { nearest } from "./check/nearest.ts"
import { fileError, UserError } from "../host/errors.ts"

/** Makes an option that can also be set in the environment, such as `VITALMOTE_COAP_PORT` for `--coap-port`. */
export function option(flags: string, description: string): Option {
    const made = new Option(flags, description)
    const name = made.long?.slice(2).replaceAll("-", "_").toUpperCase()
    return made.env(`VITALMOTE_${name}`)
}

/** Makes an option mandatory. It may come from a flag, the environment or the file of `--config`. */
export function mandatory(option: Option): Option {
    needed.add(option)
    return option
}

const needed = new WeakSet<Option>()

/** Makes `--log-level`, for a service that logs to stderr. */
export function logLevelOption(level: string): Option {
    return option("--log-level <level>", "least severe level to log")
        .choices(["debug", "info", "warn", "error"])
        .default(level)
}

/** Makes `--acc-unit`, for a recording whose gravity does not reveal the unit. */
export function accelerationUnitOption(): Option {
    return option("--acc-unit <unit>", "unit of the acceleration, if gravity does not reveal it").choices(
        Object.keys(accelerationUnits),
    )
}

/** Adds `--config FILE`, a JSON object with option names as keys. Flags and the environment take precedence. */
export function withConfigFile(command: Command): Command {
    return command
        .addOption(option("--config <file>", 'options from a JSON file, such as {"coapPort": 5683}'))
        .hook("preAction", (_, action) => {
            applyConfigFile(action)
            for (const option of action.options)
                if (needed.has(option) && action.getOptionValue(option.attributeName()) === undefined)
                    throw new UserError(`required option '${option.flags}' not specified`, 2)
        })
}

function applyConfigFile(command: Command): void {
    const file = command.opts<{ config?: string }>().config
    if (!file) return
    const faults: string[] = []
    const known = command.options.map(option => option.attributeName()).filter(name => name !== "config")
    for (const [name, value] of Object.entries(readJsonObject(file))) {
        const option = command.options.find(option => option.attributeName() === name)
        if (!option || name === "config") {
            const near = nearest(name, known)
            faults.push(`${file}: unknown option "${name}"${near === undefined ? "" : `: do you mean "${near}"?`}`)
            continue
        }
        const source = command.getOptionValueSource(name)
        const isOverridden = source !== undefined && source !== "default"
        try {
            const parsed = parse(option, value, file)
            if (!isOverridden) command.setOptionValueWithSource(name, parsed, "config")
        } catch (error) {
            if (!(error instanceof UserError)) throw error
            faults.push(error.message)
        }
    }
    if (faults.length > 0) throw new Faults(faults)
}

function parse(option: Option, value: unknown, file: string): unknown {
    try {
        if (option.parseArg && Array.isArray(value))
            return value.reduce<unknown>((before, text) => option.parseArg!(String(text), before), option.defaultValue)
        if (option.parseArg) return option.parseArg(String(value), option.defaultValue)
        const expected = option.isBoolean() || option.negate ? "boolean" : "string"
        if (typeof value === expected) return value
        throw new InvalidArgumentError(`Expected a ${expected}.`)
    } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error
        throw new UserError(`${file}: ${option.attributeName()}: ${error.message}`, 2)
    }
}

function readJsonObject(file: string): object {
    try {
        const value: unknown = JSON.parse(readFileSync(file, "utf8"))
        if (value && typeof value === "object" && !Array.isArray(value)) return value
    } catch (error) {
        if (!(error instanceof SyntaxError)) throw fileError(file, error)
    }
    throw new UserError(`${file} is not a JSON object`, 2)
}

/** Makes `--check`. */
export function checkOption(): Option {
    return option("--check", "check the whole configuration and do not start: each fault on a line, exit code 2")
}

/** Parses a port. 0 means any free one. */
export function port(text: string): number {
    return integer(0, 65535)(text)
}

/** Returns a parser for whole numbers in a range. */
export function integer(min: number, max: number): (text: string) => number {
    return text => {
        const value = Number(text)
        if (!/^\d+$/.test(text) || value < min || value > max)
            throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
        return value
    }
}

/** Parses an HTTPS URL. */
export function httpsUrl(text: string): string {
    if (URL.canParse(text) && new URL(text).protocol === "https:") return text
    throw new InvalidArgumentError("Expected an https:// address.")
}

/** A time zone that this machine knows. */
export function timeZone(text: string): string {
    if (isTimeZone(text)) return text
    throw new InvalidArgumentError("Expected a time zone such as Europe/Berlin.")
}

/** Parses a positive number. */
export function positive(text: string): number {
    const value = Number(text)
    if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number above 0.")
    return value
}

/**
 * Returns a parser for `size` bytes in hexadecimal. Errors never quote the text, because it may be part of a secret.
 */
export function hexBytes(size: number, name: string): (text: string) => Uint8Array {
    return text => {
        if (!new RegExp(`^[0-9a-fA-F]{${2 * size}}$`).test(text))
            throw new UserError(`${name}: ${2 * size} hexadecimal digits expected`, 2)
        return new Uint8Array(Buffer.from(text, "hex"))
    }
}
