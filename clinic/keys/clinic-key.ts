import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../../host/errors.ts"
import { readIfThere, writeDurably } from "../../host/files.ts"
import { Vault, vaultKeyBytes } from "../motes/vault.ts"
import type { MasterKey } from "./master-key.ts"

/** The clinic's own key; the database has neither. Each has 32 bytes. */
export interface ClinicKey {
    /** Around the secrets in the database and, derived, behind the seal of the audit record. */
    secrets: Uint8Array
    /** Behind the pseudonyms of patients, which stay the same when `secrets` is replaced. */
    pseudonyms: Uint8Array
}

/** In the clinic's folder: the one in use, and the one that comes into use while the secrets are encrypted anew. */
const names = { current: "clinic.key", next: "clinic.key.next" }
export type KeyName = keyof typeof names

export function keyFile(folder: string, name: KeyName = "current"): string {
    return join(folder, names[name])
}

/** Whether the secrets were being encrypted anew when somebody was killed: either key may be the one of the database. */
export function isRotating(folder: string): boolean {
    return existsSync(keyFile(folder, "next"))
}

export function newClinicKey(): ClinicKey {
    const key = randomBytes(vaultKeyBytes)
    return { secrets: key, pseudonyms: key }
}

/** 32 bytes where both keys are the same, as in the beginning; otherwise one after the other. */
export function bytesOf({ secrets, pseudonyms }: ClinicKey): Uint8Array {
    return Buffer.from(secrets).equals(pseudonyms) ? secrets : Buffer.concat([secrets, pseudonyms])
}

/** Undefined for what is no key. */
export function clinicKeyOf(bytes: Uint8Array): ClinicKey | undefined {
    if (bytes.length !== vaultKeyBytes && bytes.length !== 2 * vaultKeyBytes) return undefined
    return { secrets: bytes.slice(0, vaultKeyBytes), pseudonyms: bytes.slice(-vaultKeyBytes) }
}

/** What the file has under a master key; without one it has the bytes as they are. */
const Wrapped = Type.Object(
    {
        format: Type.Literal("vitalmote-clinic-key"),
        version: Type.Integer(),
        /** Id of the master key. */
        master: Type.String({ pattern: "^[0-9a-f]{16}$" }),
        /** AES-256-GCM as in `Vault`, Base64; the id of the master key and the version are authenticated, too. */
        wrapped: Type.String({ maxLength: 200 }),
    },
    { additionalProperties: false },
)
const version = 1

/** The contents of a key's file. */
export function encodeClinicKey(key: ClinicKey, master: MasterKey | undefined): Uint8Array {
    if (!master) return bytesOf(key)
    const wrapped = Buffer.from(vaultOf(master).wrap(bytesOf(key), nameOf(master.id))).toString("base64")
    return Buffer.from(
        JSON.stringify({ format: "vitalmote-clinic-key", version, master: master.id, wrapped }, null, 4) + "\n",
    )
}

/** Throws UserError where `contents` are no key, or `master` is missing, another one, or not needed. */
export function decodeClinicKey(contents: Uint8Array, master: MasterKey | undefined, file: string): ClinicKey {
    const damaged = () => new UserError(`${file} is not a key: restore it from a copy`)
    const plain = clinicKeyOf(contents)
    if (plain) {
        if (!master) return plain
        throw new UserError(
            `${file} is under no master key: put it under one with vitalmote key rotate, or leave out ${master.from}`,
        )
    }
    const found = parsed(contents)
    if (!Value.Check(Wrapped, found)) throw damaged()
    if (found.version > version) throw new UserError(`a newer version of VitalMote wrote ${file}: use that one`)
    if (!master)
        throw new UserError(
            `${file} is under the master key ${found.master}: give it by --key-file, --key-command or VITALMOTE_KEY`,
        )
    if (master.id !== found.master)
        throw new UserError(
            `${master.from}: this master key (${master.id}) is not the one of ${file} (${found.master})`,
        )
    try {
        const key = clinicKeyOf(vaultOf(master).unwrap(Buffer.from(found.wrapped, "base64"), nameOf(master.id)))
        if (key) return key
    } catch {
        // It was changed.
    }
    throw damaged()
}

/** Id of the master key around it; undefined where there is none, or no key. */
export function masterOf(folder: string): string | undefined {
    const found = parsed(readIfThere(keyFile(folder)) ?? Buffer.alloc(0))
    return Value.Check(Wrapped, found) ? found.master : undefined
}

/**
 * The clinic's key; undefined where it is missing and there is no database that needs it. Throws UserError, also where a rotation was
 * interrupted.
 */
export function readClinicKey(folder: string, master: MasterKey | undefined): ClinicKey | undefined {
    if (isRotating(folder))
        throw new UserError(
            `a rotation of the key in ${folder} was interrupted: start the clinic, or rotate again, to end it`,
        )
    const file = keyFile(folder)
    const contents = readIfThere(file)
    if (contents) return decodeClinicKey(contents, master, file)
    // A new key would open nothing of what is there.
    if (existsSync(join(folder, "clinic.db")))
        throw new UserError(`${file} is missing, and without it the database is of no use: restore it`)
    return undefined
}

/** Throws UserError where the key cannot be used with this master key; after a rotation that was interrupted one of the two has to. */
export function checkClinicKey(folder: string, master: MasterKey | undefined): void {
    if (!isRotating(folder)) return void readClinicKey(folder, master)
    const file = keyFile(folder, "next")
    try {
        decodeClinicKey(readIfThere(file)!, master, file)
    } catch {
        decodeClinicKey(readIfThere(keyFile(folder)) ?? Buffer.alloc(0), master, keyFile(folder))
    }
}

export function writeClinicKey(
    folder: string,
    key: ClinicKey,
    master: MasterKey | undefined,
    name: KeyName = "current",
): void {
    writeDurably(keyFile(folder, name), encodeClinicKey(key, master), 0o600)
}

function vaultOf({ bytes }: MasterKey): Vault {
    return new Vault(bytes, randomBytes).derived("vitalmote clinic key")
}

function nameOf(master: string): Uint8Array {
    return Buffer.from(`vitalmote-clinic-key ${version} ${master}`)
}

function parsed(contents: Uint8Array): unknown {
    try {
        return JSON.parse(Buffer.from(contents).toString())
    } catch {
        return undefined
    }
}
