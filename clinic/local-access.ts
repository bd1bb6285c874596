import { rmSync } from "node:fs"
import { join } from "node:path"
import { Type, type Static } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import { readIfThere, writeDurably } from "../host/files.ts"

const Access = Type.Object({ url: Type.String(), token: Type.String() })
type Access = Static<typeof Access>

/**
 * How a command on the same machine reaches the running clinic as its administrator: a file in the data folder that only the folder's
 * owner can read, who could read the keys as well. The token ends with the process.
 */
export class LocalAccess {
    private readonly file: string

    /** @param data the clinic's own folder */
    constructor(data: string) {
        this.file = join(data, "local.json")
    }

    grant(access: Access): void {
        writeDurably(this.file, JSON.stringify(access) + "\n", 0o600)
    }

    revoke(): void {
        rmSync(this.file, { force: true })
    }

    /** Undefined where no clinic runs, as far as one can see: one that was killed leaves the file. */
    read(): Access | undefined {
        try {
            const access: unknown = JSON.parse(readIfThere(this.file)?.toString() ?? "")
            return Value.Check(Access, access) ? access : undefined
        } catch {
            return undefined
        }
    }
}
