import { join } from "node:path"
import { Command } from "commander"
import { reencrypt, rewrapKey } from "../../clinic/index.ts"
import { UserError } from "../../host/errors.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import {
    givenMasterKey,
    keyOptions,
    newKeyOptions,
    newMasterKey,
    type KeyFlags,
    type NewKeyFlags,
} from "../key-options.ts"
import { option, withConfigFile } from "../options.ts"

interface Options extends KeyFlags, NewKeyFlags {
    data: string
    database?: string
    plain?: boolean
    reencrypt?: boolean
}

const rotate = withConfigFile(
    new Command("rotate")
        .description(
            "put the clinic's key under a new master key, also while the clinic runs; or replace it, while the clinic does not",
        )
        .addOption(option("--data <dir>", "data folder").default(".vitalmote"))
        .addOption(databaseOption()),
)
for (const each of [...keyOptions(), ...newKeyOptions()]) rotate.addOption(each)
rotate
    .addOption(option("--plain", "under no master key from now on: the data folder has the key as it is"))
    .addOption(option("--reencrypt", "replace the clinic's key itself, and encrypt all secrets in the database anew"))
    .action(async (options: Options, command: Command) => {
        const { data, database } = options
        refuseSeenPassword(command, database)
        const folder = join(data, "clinic")
        const [old, given] = [await givenMasterKey(options), await newMasterKey(options)]
        if (given && options.plain) throw new UserError(`${given.from} and --plain: leave one of them out`, 2)
        if (!given && !options.plain && !options.reencrypt)
            throw new UserError("a new master key is needed (--new-key-file), or --plain, or --reencrypt", 2)
        const next = options.plain ? undefined : (given ?? old)
        if (options.reencrypt)
            await reencrypt({ folder, old, next, database: database === undefined ? { folder } : { url: database } })
        else rewrapKey(folder, old, next)
        const done = options.reencrypt ? "replaced, and all secrets are encrypted anew" : "under another master key"
        console.log(next ? `the clinic's key is ${done}; its master key is ${next.id}` : `the clinic's key is ${done}`)
    })

export const keyCommand = new Command("key")
    .description("rotate the key around the clinic's secrets")
    .addCommand(rotate)
