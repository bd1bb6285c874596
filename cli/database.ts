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
export function refuseSeenPassword(command: Command, url: string | undefined): void {
    if (url === undefined || command.getOptionValueSource("database") !== "cli" || !hasPassword(url)) return
    throw new UserError(
        "--database: everybody on this machine can see a password there: put the URL into VITALMOTE_DATABASE or into the " +
            "file of --config, or the password into PGPASSWORD or ~/.pgpass",
        2,
    )
}
