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

/** `FILE.csv@FS`: a recording and its sampling rate in Hz. */
export interface RecordingOption {
    file: string
    fs?: number
}

export interface RecordedWearer {
    ppg?: RecordingOption
    acc?: RecordingOption
    accUnit?: AccelerationUnit
}

/** The rate of a recording that has no column of times and no `@HZ`: that at which the mote itself samples. */
const defaultFs = 25

/** Parses `FILE.csv[@FS]`. */
export function recordingOption(text: string): RecordingOption {
    const at = text.lastIndexOf("@")
    if (at < 0) return { file: text }
    if (!text.slice(0, at)) throw new InvalidArgumentError("Expected FILE.csv or FILE.csv@HZ.")
    return { file: text.slice(0, at), fs: positive(text.slice(at + 1)) }
}

/**
 * A wearer whose optical signal, and acceleration if there is one, is a recording, from its start again when it ends.
 * @returns undefined where there is none @throws UserError
 */
export function recordedWearer({ ppg, acc, accUnit }: RecordedWearer): Body | undefined {
    if (acc && !ppg) throw new UserError("--acc goes with --ppg", 2)
    if (accUnit && !acc) throw new UserError("--acc-unit goes with --acc", 2)
    if (!ppg) return undefined
    const { file, fs } = ppg
    const acceleration = acc && accelerationFile(acc.file, acc.fs, accUnit, { defaultRate: fs ?? defaultFs })
    return recordingFile(file, fs, { loop: true, acceleration, defaultRate: defaultFs })
}

/** A made-up wearer, ill where `condition` says so; the same mote always has the same. */
export function madeUpWearer(kid: string, condition?: ConditionOption): Body {
    const seed = parseInt(kid.slice(-8), 16)
    return condition ? illBody(condition.name, seed, condition.lengthS) : madeUpBody(seed)
}

/** `NAME[@TIME]`: a condition, and how long its course takes where it shall not be its natural length. */
export interface ConditionOption {
    name: ConditionName
    lengthS?: number
}

const secondsIn = { s: 1, m: 60, h: 3600 }
const leastS = 60
const mostS = 30 * 24 * 3600

/** For `--help`: each condition with what becomes of the wearer. */
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

/** Parses one more of them. */
export function conditionsOption(text: string, previous: ConditionOption[] = []): ConditionOption[] {
    return [...previous, conditionOption(text)]
}

function isCondition(name: string): name is ConditionName {
    return (conditionNames as string[]).includes(name)
}
