import { InvalidArgumentError } from "commander"
import { UserError } from "../host/errors.ts"
import {
    accelerationFile,
    conditionNames,
    conditions,
    illBody,
    madeUpBody,
    recordingFile,
    type AccelerationUnit,
    type Body,
    type ConditionName,
} from "../sim/index.ts"
import { positive } from "./options.ts"

/** A recording and its sampling rate in Hz, `FILE.csv@FS`. */
export interface RecordingOption {
    file: string
    fs?: number
}

export interface RecordedWearer {
    ppg?: RecordingOption
    acc?: RecordingOption
    accUnit?: AccelerationUnit
}

/** The rate of a recording without a time column and `@HZ`, which is the sampling rate of a mote. */
const defaultFs = 25

/** Parses `FILE.csv[@FS]`. */
export function recordingOption(text: string): RecordingOption {
    const at = text.lastIndexOf("@")
    if (at < 0) return { file: text }
    if (!text.slice(0, at)) throw new InvalidArgumentError("Expected FILE.csv or FILE.csv@HZ.")
    return { file: text.slice(0, at), fs: positive(text.slice(at + 1)) }
}

/**
 * Makes a wearer from a recording of the optical signal and optionally of the acceleration. It repeats when it ends.
 * @returns undefined if the options name no recording
 * @throws UserError
 */
export function recordedWearer({ ppg, acc, accUnit }: RecordedWearer): Body | undefined {
    if (acc && !ppg) throw new UserError("--acc goes with --ppg", 2)
    if (accUnit && !acc) throw new UserError("--acc-unit goes with --acc", 2)
    if (!ppg) return undefined
    const { file, fs } = ppg
    const acceleration = acc && accelerationFile(acc.file, acc.fs, accUnit, { defaultRate: fs ?? defaultFs })
    return recordingFile(file, fs, { loop: true, acceleration, defaultRate: defaultFs })
}

/** Makes up a wearer, who is ill if `condition` is given. The same mote always has the same wearer. */
export function madeUpWearer(kid: string, condition?: ConditionOption): Body {
    const seed = parseInt(kid.slice(-8), 16)
    return condition ? illBody(condition.name, seed, condition.lengthS) : madeUpBody(seed)
}

/** A condition, and the duration of its course if that is not the natural one, `NAME[@TIME]`. */
export interface ConditionOption {
    name: ConditionName
    lengthS?: number
}

const secondsIn = { s: 1, m: 60, h: 3600 }
const leastS = 60
const mostS = 30 * 24 * 3600

/** The conditions and their courses, for `--help`. */
export const conditionHelp = conditionNames.map(name => `${name} (${conditions[name].about})`).join(", ")

/** Parses `NAME[@TIME]`, such as `sepsis@20m`. */
export function conditionOption(text: string): ConditionOption {
    const [, name = "", number, unit] = /^([a-z]+)(?:@(\d{1,7}(?:\.\d{1,3})?)([smh]))?$/.exec(text) ?? []
    if (!isCondition(name))
        throw new InvalidArgumentError(`Expected NAME or NAME@TIME, such as sepsis@20m: ${conditionNames.join(", ")}.`)
    if (number === undefined) return { name }
    const lengthS = Number(number) * secondsIn[unit as keyof typeof secondsIn]
    if (lengthS < leastS || lengthS > mostS) throw new InvalidArgumentError("Expected a duration from 1m to 720h.")
    return { name, lengthS }
}

/** Parses a condition and adds it to the previous ones. */
export function conditionsOption(text: string, previous: ConditionOption[] = []): ConditionOption[] {
    return [...previous, conditionOption(text)]
}

function isCondition(name: string): name is ConditionName {
    return (conditionNames as string[]).includes(name)
}
