import { readFileSync } from "node:fs"
import { chmod, mkdir, open, rename } from "node:fs/promises"
import { dirname } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { fileError, UserError } from "../host/errors.ts"

const Hex = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${2 * bytes}}$` })

const Credentials = Type.Object({
    clinic: Type.String(),
    ca: Type.String(),
    doctor: Type.Object({ user: Type.String(), password: Type.String(), token: Type.String() }),
    router: Type.Object({ token: Type.String() }),
    motes: Type.Array(Type.Object({ kid: Hex(8), secret: Hex(32), patient: Type.String() })),
})

/** What `up` and `clinic` leave in DATA/credentials.json for those who are to use the clinic. */
export type Credentials = Static<typeof Credentials>

/** The credentials of an earlier start, if there was one. @throws UserError when the file is damaged */
export function readCredentials(file: string): Credentials | undefined {
    let text: string
    try {
        text = readFileSync(file, "utf8")
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
        throw fileError(file, error)
    }
    try {
        const value: unknown = JSON.parse(text)
        if (Value.Check(Credentials, value)) return value
    } catch {
        // Said below: what is no JSON is damaged too.
    }
    throw new UserError(`${file} is damaged: restore it, or start with another --data folder`)
}

/** Writes the file so that only its owner can read it, and so that a crash leaves the old or the new one. */
export async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const draft = `${file}.new`
    const handle = await open(draft, "w", 0o600)
    await chmod(draft, 0o600)
    await handle.writeFile(JSON.stringify(credentials, null, 4) + "\n")
    await handle.sync()
    await handle.close()
    await rename(draft, file)
}
