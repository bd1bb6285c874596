import { join } from "node:path"
import { Command, Option } from "commander"
import { UserError } from "../../host/errors.ts"
import { pageUsers, rights, type Right } from "../../router/index.ts"
import { option } from "../options.ts"
import { table } from "../table.ts"
import { dataOf } from "./dead-letters.ts"

type Users = ReturnType<typeof pageUsers>

/** Whoever can write to the data folder decides who may open the page: this works with the router running or not. */
export const routerUsersCommand = new Command("users")
    .description("list, add and remove those who may open the router's page from other machines")
    .addCommand(
        command("list", "list all users").action((_options: object, command: Command) => {
            const rows = usersOf(command)
                .all()
                .map(({ name, right, password }) => [name, right, password === null ? "no password yet" : ""])
            for (const line of table(["user", "may", ""], rows)) console.log(line)
        }),
    )
    .addCommand(
        command("add", "add a user, and print the link that sets the password")
            .argument("<name>", "user name")
            .addOption(
                new Option("--may <right>", "look, or also send requests that may change a mote")
                    .choices(rights)
                    .default("look"),
            )
            .action((name: string, { may }: { may: Right }, command: Command) => {
                const users = usersOf(command)
                users.add(name, may)
                printSetupLink(users, name)
            }),
    )
    .addCommand(
        command("setup", "print a link that sets a user's password once, within a day")
            .argument("<name>", "user name")
            .action((name: string, _options: object, command: Command) => printSetupLink(usersOf(command), name)),
    )
    .addCommand(
        command("remove", "remove a user; an open page of theirs is signed out")
            .argument("<name>", "user name")
            .action((name: string, _options: object, command: Command) => {
                if (!usersOf(command).remove(name)) throw new UserError(`there is no user ${name}`)
            }),
    )

function command(name: string, description: string): Command {
    return new Command(name)
        .description(description)
        .addOption(option("--data <dir>", "data folder of the router").default(".vitalmote"))
}

function usersOf(command: Command): Users {
    return pageUsers(join(dataOf(command), "router"))
}

function printSetupLink(users: Users, name: string): void {
    const { token, endsAt } = users.addSetupLink(name)
    console.log(`#setup=${token}`)
    console.error(
        `for ${name}, once, until ${new Date(endsAt).toISOString()}: put it behind the page's address, such as https://router:8481/#setup=…`,
    )
}
