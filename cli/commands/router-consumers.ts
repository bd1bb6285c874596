import { join } from "node:path"
import { Command, Option } from "commander"
import { UserError } from "../../host/errors.ts"
import { consumerAccounts } from "../../router/index.ts"
import { option } from "../options.ts"
import { table } from "../table.ts"
import { dataOf } from "./dead-letters.ts"

type Accounts = ReturnType<typeof consumerAccounts>

/** Whoever can write to the data folder decides who may subscribe: this works with the router running or not. */
export const routerConsumersCommand = new Command("consumers")
    .description("list, add and remove those who may subscribe at the router's own MQTT broker")
    .addCommand(
        command("list", "list all consumers").action((_options: object, command: Command) => {
            const rows = accountsOf(command)
                .all()
                .map(({ name, envelopes, motes }) => [
                    name,
                    envelopes ? "states and envelopes" : "states",
                    motes.join(","),
                ])
            for (const line of table(["user", "may have", "of motes"], rows)) console.log(line)
        }),
    )
    .addCommand(
        command("add", "add a consumer, and print its password, which is shown once")
            .argument("<name>", "user name")
            .addOption(new Option("--envelopes", "also the sealed envelopes, which only the clinic can open"))
            .addOption(new Option("--motes <list>", "only these: identities, or their beginnings with *").default("*"))
            .action((name: string, o: { envelopes?: boolean; motes: string }, command: Command) => {
                const motes = o.motes.split(",").map(one => one.trim())
                console.log(accountsOf(command).add(name, { envelopes: o.envelopes === true, motes }))
            }),
    )
    .addCommand(
        command("remove", "remove a consumer; its connection ends within seconds")
            .argument("<name>", "user name")
            .action((name: string, _options: object, command: Command) => {
                if (!accountsOf(command).remove(name)) throw new UserError(`there is no consumer ${name}`)
            }),
    )

function command(name: string, description: string): Command {
    return new Command(name)
        .description(description)
        .addOption(option("--data <dir>", "data folder of the router").default(".vitalmote"))
}

function accountsOf(command: Command): Accounts {
    return consumerAccounts(join(dataOf(command), "router"))
}
