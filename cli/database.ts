import { InvalidArgumentError, type Command, type Option } from "commander"
import { hasPassword, isPostgres } from "../clinic/index.ts"
import { UserError } from "../host/errors.ts"
import { option } from "./options.ts"

/** Makes `--database`. */
export function databaseOption(): Option {
    return option(
        "--database <url>",
        "PostgreSQL in place of the database in the data folder: postgres://USER@HOST/NAME; with a password only in " +
            "VITALMOTE_DATABASE or in the file of --config",
    ).argParser(text => {
        if (isPostgres(text)) return text
        throw new InvalidArgumentError("Expected postgres://…")
    })
}

/** Throws UserError for a password among the arguments, which every process on the machine can see. */
export function refuseSeenPassword(command: Command, url: string | undefined, name = "database"): void {
    if (url === undefined || command.getOptionValueSource(name) !== "cli" || !hasPassword(url)) return
    throw new UserError(
        `--${name}: everybody on this machine can see a password there: put the URL into VITALMOTE_${name.toUpperCase()} or ` +
            "into the file of --config, or the password into PGPASSWORD or ~/.pgpass",
        2,
    )
}
