import { join } from "node:path"
import { Command, InvalidArgumentError, type Option } from "commander"
import { isPostgres, migrateClinic, type Place } from "../../clinic/index.ts"
import { refuseSeenPassword } from "../database.ts"
import { givenMasterKey, keyOptions, type KeyFlags } from "../key-options.ts"
import { mandatory, option, withConfigFile } from "../options.ts"
import { shareLine } from "../progress.ts"

interface Options extends KeyFlags {
    data: string
    from: string
    to: string
}

export const migrateCommand = withConfigFile(
    new Command("migrate")
        .description("move a clinic that does not run from one database to another one, which has to be empty")
        .addOption(option("--data <dir>", "data folder, with the clinic's key").default(".vitalmote"))
        .addOption(
            mandatory(
                placeOption("--from <url>", "where it is: postgres://USER@HOST/NAME, or file: for the data folder"),
            ),
        )
        .addOption(mandatory(placeOption("--to <url>", "where it goes, in the same form"))),
).action(async (options: Options, command: Command) => {
    const { data, from, to } = options
    for (const name of ["from", "to"] as const) refuseSeenPassword(command, { from, to }[name], name)
    const folder = join(data, "clinic")
    const place = (url: string): Place => (isPostgres(url) ? { url } : { folder })
    const progress = shareLine()
    const { tables, auditEvents } = await migrateClinic({
        ...{ from: place(from), to: place(to), keys: folder, progress },
        master: await givenMasterKey(options),
    }).finally(() => progress("", 0, 0))
    for (const { table, rows, hash } of tables) if (rows > 0) console.log(`${table} ${rows} ${hash}`)
    console.log(`moved and compared: ${tables.length} tables; the audit record is whole: ${auditEvents} events`)
    console.log(
        isPostgres(to)
            ? "start the clinic with --database from now on"
            : "start the clinic without --database from now on",
    )
})
for (const each of keyOptions()) migrateCommand.addOption(each)

function placeOption(flags: string, description: string): Option {
    return option(flags, description).argParser(text => {
        if (isPostgres(text) || text === "file:") return text
        throw new InvalidArgumentError("Expected postgres://… or file:")
    })
}
