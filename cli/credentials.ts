import { dirname } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { UserError } from "../host/errors.ts"
import { makeFolder, readIfThere, writeDurably } from "../host/files.ts"

const Hex = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` })

const Credentials = Type.Object({
    clinic: Type.String(),
    ca: Type.String(),
    doctor: Type.Object({ user: Type.String(), password: Type.String(), token: Type.String() }),
    router: Type.Object({ token: Type.String() }),
    motes: Type.Array(Type.Object({ kid: Hex(8), secret: Hex(32), patient: Type.String() })),
})

/** The contents of DATA/credentials.json, which `up` and `clinic` write for the clinic's users. */
export type Credentials = Static<typeof Credentials>

/**
 * Reads the credentials of an earlier start, if there was one.
 * @throws UserError if the file is damaged
 */
export function readCredentials(file: string): Credentials | undefined {
    const text = readIfThere(file)
    if (!text) return undefined
    try {
        const value: unknown = JSON.parse(text.toString())
        if (Value.Check(Credentials, value)) return value
    } catch {
        // The error is thrown below, because malformed JSON is damage as well.
    }
    throw new UserError(`${file} is damaged: restore it, or start with another --data folder`)
}

/** Writes the file durably, readable by its owner only. Throws UserError. */
export function writeCredentials(file: string, credentials: Credentials): void {
    makeFolder(dirname(file))
    writeDurably(file, JSON.stringify(credentials, null, 4) + "\n", 0o600)
}
