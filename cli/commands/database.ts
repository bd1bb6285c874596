import { Command } from "commander"
import { prepareFor } from "../../clinic/index.ts"
import { databaseOption, refuseSeenPassword } from "../database.ts"
import { mandatory, option, withConfigFile } from "../options.ts"

export const databaseCommand = withConfigFile(
    new Command("database")
        .description(
            "make or bring forward the tables of a clinic's PostgreSQL database, as their owner, for a role that may not",
        )
        .addOption(mandatory(databaseOption()))
        .addOption(mandatory(option("--service-role <name>", "role by which the clinic is started"))),
).action(async ({ database, serviceRole }: { database: string; serviceRole: string }, command: Command) => {
    refuseSeenPassword(command, database)
    await prepareFor(database, serviceRole)
    console.log(`the tables are ready for ${serviceRole}`)
})
