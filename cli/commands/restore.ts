import { Command } from "commander"
import { restoreBackup } from "../../clinic/index.ts"
import { UserError } from "../../host/errors.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { option } from "../options.ts"
import { askPassphrase, passphraseFileOption } from "../passphrase.ts"
import { shareLine } from "../progress.ts"

interface Options extends KeyFlags {
    data: string
    database?: string
    passphraseFile?: string
}

export const restoreCommand = new Command("restore")
    .description("make a clinic's data folder out of a backup; what is there is never overwritten")
    .argument("<file>", "a backup")
    .addOption(option("--data <dir>", "data folder without a clinic").makeOptionMandatory())
    .addOption(databaseOption())
    .addOption(passphraseFileOption())
    .action(async (file: string, options: Options, command: Command) => {
        const { data, passphraseFile, database } = options
        refuseSeenPassword(command, database)
        if (!data) throw new UserError("--data: a folder is needed", 2)
        const master = await givenMasterKey(options)
        const passphrase = await askPassphrase(passphraseFile, "known")
        const progress = shareLine()
        const found = await restoreBackup({ file, data, passphrase, master, database, progress }).finally(() =>
            progress("", 0, 0),
        )
        console.log(`${data}: ${found.users} users, ${found.patients} patients, ${found.motes} motes`)
        const newest =
            found.newestAt === null ? "no readings" : `readings until ${new Date(found.newestAt).toISOString()}`
        console.log(`made ${new Date(found.madeAt).toISOString()}, ${newest}: what came later is not in it`)
    })
for (const each of keyOptions()) restoreCommand.addOption(each)
