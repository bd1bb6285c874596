import { join } from "node:path"
import { Type } from "@sinclair/typebox"
import { Command } from "commander"
import { holdClosedFile, makeBackup, readClinicKey, type Hold } from "../../clinic/index.ts"
import { Hold as HoldSchema } from "../../clinic/http/schemas/backup.ts"
import { UserError } from "../../host/errors.ts"
import { withAccess, type ClinicApi } from "../clinic-api.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { localAccess } from "../local-access.ts"
import { option } from "../options.ts"
import { askPassphrase, passphraseFileOption } from "../passphrase.ts"
import { shareLine } from "../progress.ts"

/** The clinic holds the file for 20 s after each. */
const renewMs = 5_000

interface Options extends KeyFlags {
    data: string
    database?: string
    passphraseFile?: string
}

export const backupCommand = new Command("backup")
    .description("write an encrypted backup of a clinic, which may be running, and check it")
    .argument("<file>", "the file to write, such as clinic.age")
    .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
    .addOption(databaseOption())
    .addOption(passphraseFileOption())
    .action(async (file: string, options: Options, command: Command) => {
        const { data, passphraseFile, database } = options
        refuseSeenPassword(command, database)
        const master = await givenMasterKey(options)
        const key = () => readClinicKey(join(data, "clinic"), master)
        const passphrase = await askPassphrase(passphraseFile, "new")
        const progress = shareLine()
        const make = (hold: () => Promise<Hold>) =>
            makeBackup({ data, file, passphrase, key, database, hold, now: Date.now(), progress }).finally(() =>
                progress("", 0, 0),
            )
        const access = database === undefined ? await localAccess(data) : undefined
        const found = access
            ? await withAccess(access, api => make(() => holdRunning(api)))
            : await make(() => (database === undefined ? holdStopped(data) : unheld()))
        console.log(`${file}: ${found.users} users, ${found.patients} patients, ${found.motes} motes; checked`)
    })
for (const each of keyOptions()) backupCommand.addOption(each)

async function holdRunning(api: ClinicApi): Promise<Hold> {
    const { id } = await api.call("POST", "/api/backup", HoldSchema)
    const path = `/api/backup/${id}`
    const confirm = async () => {
        await api.call("PUT", path, Type.Any()).catch((error: Error) => {
            throw new UserError(`the clinic was stopped meanwhile, or did not answer: ${error.message}`)
        })
    }
    const timer = setInterval(() => void confirm().catch(() => {}), renewMs)
    const release = async () => {
        clearInterval(timer)
        await api.call("DELETE", path, Type.Any()).catch(() => {})
    }
    return { confirm, release }
}

/** PostgreSQL shows one moment for as long as somebody reads. */
async function unheld(): Promise<Hold> {
    return { confirm: async () => {}, release: async () => {} }
}

async function holdStopped(data: string): Promise<Hold> {
    return { ...holdClosedFile(join(data, "clinic", "clinic.db")), confirm: async () => {} }
}
