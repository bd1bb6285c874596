import {
    closeSync,
    fsyncSync,
    mkdirSync,
    openSync,
    readFileSync,
    renameSync,
    writeSync,
} from "node:fs"
import { dirname } from "node:path"
import { UserError } from "../host/errors.ts"
import type { Flash } from "./vm/machine.ts"

/** A mote's flash in a file: a write is there wholly or not at all, whatever happens to this process or its power. */
export function fileFlash(file: string): Flash {
    try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    } catch (error) {
        throw new UserError(`cannot make ${dirname(file)}: ${(error as Error).message}`)
    }
    return {
        load: () => {
            try {
                return new Uint8Array(readFileSync(file))
            } catch (error) {
                if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Uint8Array(0)
                throw new UserError(`cannot read ${file}: ${(error as Error).message}`)
            }
        },
        save: contents => {
            const draft = openSync(`${file}.new`, "w", 0o600)
            writeSync(draft, contents)
            fsyncSync(draft)
            closeSync(draft)
            renameSync(`${file}.new`, file)
        },
    }
}
