import { dirname } from "node:path"
import { makeFolder, readIfThere, writeDurably } from "../../host/files.ts"
import type { Flash } from "../vm/machine.ts"

/** A mote's flash in a file. Writes are atomic, even if this process dies or power fails. */
export function fileFlash(file: string): Flash {
    makeFolder(dirname(file))
    return {
        load: () => new Uint8Array(readIfThere(file) ?? []),
        save: contents => writeDurably(file, contents, 0o600),
    }
}
