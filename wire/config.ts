import { decode, encode, isCount, WireError } from "./cbor.ts"
import { openEnvelope, parseSealed, randomNonceBytes, seal, verifyEnvelope } from "./envelope.ts"
import { commandNames, type CommandName, type MoteKeys } from "./keys.ts"
import { checkConfig, ConfigError } from "./settings.ts"
import { type ConfigValues } from "./tables/settings.ts"

/*
 * Configurations and commands from the clinic to a mote: a CBOR map in an envelope, sealed with the `down` keys.
 * wire/tables/settings.ts lists the settings. docs/wire.md, "Configuration".
 */

/** The largest plaintext that a mote accepts. All settings together, with a router of 64 bytes, need less. */
export const maxConfigBytes = 208
const maxVersion = 2 ** 32 - 1

type DownPurpose = "config" | "command"
type DownKeys = Pick<MoteKeys, "kid" | "downEnc" | "downMac">

/**
 * Seals a configuration for a mote.
 * @param version 1 to 2^32 - 1, and higher than all earlier ones; the mote refuses any other
 * @param random returns `size` random bytes
 * @throws ConfigError
 */
export function makeConfig(
    values: Partial<ConfigValues>,
    version: number,
    keys: DownKeys,
    random: (size: number) => Uint8Array,
): Uint8Array {
    return sealDown(encodeConfig(values, version), "config", keys, random)
}

/** Encodes the plaintext of a configuration. Its SHA-256 is the digest that a mote shows. Throws ConfigError. */
export function encodeConfig(values: Partial<ConfigValues>, version: number): Uint8Array {
    const fields = Object.entries(checkConfig(values)).map(([name, value]): [string, unknown] => [
        name,
        typeof value === "number" ? toBinary16(value) : value,
    ])
    return encode(new Map<string, unknown>([...fields, ["version", checkVersion(version)]]))
}

/**
 * Returns the setting in pair `index` of a configuration's map, in the mote's numbering; undefined if there is no such
 * pair.
 */
export function settingAt(values: Partial<ConfigValues>, index: number): string | undefined {
    const map = decode(encodeConfig(values, 1)) as Map<string, unknown>
    return [...map.keys()][index]
}

/** Verifies and decrypts a sealed configuration. Throws WireError if it is not a configuration for these keys. */
export function openConfig(bytes: Uint8Array, keys: DownKeys): { version: number; values: Partial<ConfigValues> } {
    const { version, ...fields } = openDown(bytes, "config", keys)
    const values = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
            name,
            typeof value === "number" ? Math.round(value * 10) / 10 : value,
        ]),
    )
    try {
        return { version: checkVersion(version), values: checkConfig(values) }
    } catch (error) {
        if (error instanceof ConfigError) throw new WireError(error.message)
        throw error
    }
}

/** Seals a command. The versions of commands rise independently of those of configurations. Throws ConfigError. */
export function makeCommand(
    command: CommandName,
    version: number,
    keys: DownKeys,
    random: (size: number) => Uint8Array,
): Uint8Array {
    const map = new Map<string, unknown>([
        ["command", command],
        ["version", checkVersion(version)],
    ])
    return sealDown(encode(map), "command", keys, random)
}

/** Verifies and decrypts a sealed command. Throws WireError if it is not a command for these keys. */
export function openCommand(bytes: Uint8Array, keys: DownKeys): { version: number; command: CommandName } {
    const { version, command, ...more } = openDown(bytes, "command", keys)
    if (!commandNames.includes(command as CommandName) || Object.keys(more).length > 0)
        throw new WireError("not a command")
    if (!isVersion(version)) throw new WireError("not a command")
    return { version, command: command as CommandName }
}

function sealDown(
    plaintext: Uint8Array,
    purpose: DownPurpose,
    { kid, downEnc, downMac }: DownKeys,
    random: (size: number) => Uint8Array,
): Uint8Array {
    return seal(purpose, random(randomNonceBytes), plaintext, { kid, enc: downEnc, mac: downMac })
}

function openDown(bytes: Uint8Array, purpose: DownPurpose, keys: DownKeys): Record<string, unknown> {
    const sealed = parseSealed(bytes)
    if (!Buffer.from(sealed.kid).equals(keys.kid)) throw new WireError("for another mote")
    if (!verifyEnvelope(sealed, purpose, keys.downMac)) throw new WireError("the MAC is wrong, or for another purpose")
    const map = decode(openEnvelope(sealed, keys.downEnc))
    if (!(map instanceof Map)) throw new WireError("not a map")
    const entries = [...(map as Map<unknown, unknown>)]
    if (!entries.every(([key]) => typeof key === "string")) throw new WireError("a key is not a text string")
    return Object.fromEntries(entries) as Record<string, unknown>
}

function checkVersion(version: unknown): number {
    if (!isVersion(version))
        throw new ConfigError({ code: "out-of-range", setting: "version", min: 1, max: maxVersion })
    return version
}

function isVersion(version: unknown): version is number {
    return isCount(version) && version >= 1 && version <= maxVersion
}

/** Rounds to 11 significant bits. Between 16 and 64 that still distinguishes tenths. */
function toBinary16(value: number): number {
    const step = 2 ** (Math.floor(Math.log2(value)) - 10)
    return Number.isInteger(value) ? value : Math.round(value / step) * step
}
