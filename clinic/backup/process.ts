import { setPriority } from "node:os"
import { clinicKeyOf } from "../keys/clinic-key.ts"
import { makeBackup } from "./make.ts"

/** What the parent sends, once. It holds the database's file still until this process has answered. */
export interface BackupRequest {
    data: string
    file: string
    passphrase: string
    /** The clinic's own, in hexadecimal. */
    key: string
    now: number
    /** URL of PostgreSQL. */
    database?: string
}

/** Undefined: the file is made, and whole. `released`: the database's file has been read. */
export type BackupAnswer = "released" | { failure?: string }

/** The clinic goes before: it is the one that somebody waits for. */
const priority = 10

process.once("message", (request: BackupRequest) => {
    setPriority(priority)
    const say = (answer: BackupAnswer) => process.send?.(answer)
    const hold = async () => ({ confirm: async () => {}, release: async () => void say("released") })
    void makeBackup({ ...request, key: () => clinicKeyOf(Buffer.from(request.key, "hex")), hold }).then(
        () => say({}),
        (error: Error) => say({ failure: error.message }),
    )
})
// Without the parent nobody holds the file still.
process.once("disconnect", () => process.exit(1))
