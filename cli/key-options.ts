import type { Option } from "commander"
import { outputOf, parseMasterKey, type MasterKey } from "../clinic/index.ts"
import { readBounded } from "../host/bounded-file.ts"
import { UserError } from "../host/errors.ts"
import { option } from "./options.ts"

export interface KeyFlags {
    keyFile?: string
    keyCommand?: string
}

export interface NewKeyFlags {
    newKeyFile?: string
    newKeyCommand?: string
}

/** More than any form of a key has. */
const maxFileBytes = 1_000_000

/** Makes `--key-file` and `--key-command`. The key itself is never an argument: other processes can see arguments. */
export function keyOptions(): Option[] {
    return [
        option(
            "--key-file <file>",
            "master key around the clinic's key (else: --key-command, or VITALMOTE_KEY has it)",
        ),
        option("--key-command <command>", "command that writes the master key to its stdout; runs without a shell"),
    ]
}

export function newKeyOptions(): Option[] {
    return [
        option("--new-key-file <file>", "the new master key (else: --new-key-command, or VITALMOTE_NEW_KEY has it)"),
        option("--new-key-command <command>", "command that writes the new master key to its stdout"),
    ]
}

/** Undefined where none is given. Throws UserError. */
export function givenMasterKey({ keyFile, keyCommand }: KeyFlags): Promise<MasterKey | undefined> {
    return masterKey({ "--key-file": keyFile, "--key-command": keyCommand }, "VITALMOTE_KEY")
}

export function newMasterKey({ newKeyFile, newKeyCommand }: NewKeyFlags): Promise<MasterKey | undefined> {
    return masterKey({ "--new-key-file": newKeyFile, "--new-key-command": newKeyCommand }, "VITALMOTE_NEW_KEY")
}

async function masterKey(
    options: Readonly<Record<string, string | undefined>>,
    variable: string,
): Promise<MasterKey | undefined> {
    const given = Object.entries({ ...options, [variable]: process.env[variable] || undefined }).filter(
        (one): one is [string, string] => one[1] !== undefined,
    )
    const [[from, text] = ["", ""], other] = given
    if (from === "") return undefined
    if (other) throw new UserError(`${from} and ${other[0]} both give a master key: leave one of them out`, 2)
    if (from === variable) return parseMasterKey(Buffer.from(text), from)
    return parseMasterKey(await contentsOf(from, text), from)
}

async function contentsOf(from: string, text: string): Promise<Uint8Array> {
    try {
        return from.endsWith("-file") ? readBounded(text, maxFileBytes) : await outputOf(text)
    } catch (error) {
        if (error instanceof UserError) throw new UserError(`${from}: ${error.message}`, error.exitCode)
        throw error
    }
}
