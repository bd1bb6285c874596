import { InvalidArgumentError } from "commander"
import { type Fault, faultKinds, faultyChips } from "../sim/index.ts"

/** `CHIP:KIND@FROM-TO`, with times in seconds from the mote's start. */
const form = /^([a-z]+):([a-z]+)@(\d{1,7}(?:\.\d{1,3})?)-(\d{1,7}(?:\.\d{1,3})?)$/

/** The chips and their faults, for `--help`. */
export const faultHelp = faultyChips.map(chip => `${chip} ${faultKinds[chip].join("|")}`).join(", ")

/** Parses a `--fault` and adds it to the previous ones. */
export function faultOption(text: string, previous: Fault[] = []): Fault[] {
    const [, chip, kind, from, to] = form.exec(text) ?? []
    if (!chip) throw new InvalidArgumentError("Expected CHIP:KIND@FROM-TO, such as optical:nack@30-60.")
    if (!isOneOf(faultyChips, chip)) throw new InvalidArgumentError(`Expected a chip: ${faultyChips.join(", ")}.`)
    const kinds = faultKinds[chip]
    if (!isOneOf(kinds, kind!))
        throw new InvalidArgumentError(`Expected a fault of the ${chip} chip: ${kinds.join(", ")}.`)
    const fault = { chip, kind, fromS: Number(from), toS: Number(to) }
    if (fault.fromS >= fault.toS) throw new InvalidArgumentError("Expected an end after the beginning.")
    return [...previous, fault]
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
    return (names as readonly string[]).includes(name)
}
