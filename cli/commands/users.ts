import { Type } from "@sinclair/typebox"
import { Command } from "commander"
import { SetupLink, User } from "../../clinic/http/schemas/users.ts"
import { UserError } from "../../host/errors.ts"
import { withAccess, type ClinicApi } from "../clinic-api.ts"
import { localAccess } from "../local-access.ts"
import { option } from "../options.ts"
import { table } from "../table.ts"

/** Whoever can read the data folder is an administrator: this works when the last password is lost. */
export const usersCommand = new Command("users")
    .description("list, add and remove users of the running clinic on this machine, and give them setup links")
    .addCommand(
        command("list", "list all users").action((options: Options) =>
            withUsers(options, async api => {
                const users = await api.call("GET", "/api/users", Type.Array(User))
                const rows = users.map(({ user, role, wards, patient }) => [
                    ...[
                        user,
                        role,
                        wards === "all" ? "all" : (wards?.join(", ") ?? ""),
                        patient === null ? "" : `patient ${patient}`,
                    ],
                ])
                for (const line of table(["user", "role", "wards", "belongs to"], rows))
                    console.log(line.replace(/\p{Cc}/gu, " "))
            }),
        ),
    )
    .addCommand(
        command("add", "add a user, and print the setup link of one with a password")
            .argument("<name>", "user name")
            .addOption(option("--role <role>", "such as administrator, doctor, nurse").makeOptionMandatory())
            .addOption(
                option(
                    "--ward <name...>",
                    "whose patients a doctor, a nurse or another system sees; the ward of a display, the wards of a router",
                ),
            )
            .addOption(
                option("--all-wards", "instead: a doctor, a nurse or another system sees every patient").default(false),
            )
            .addOption(option("--patient <id>", "whose account it is").argParser(Number))
            .action((name: string, { role, patient, ...options }: AddOptions) =>
                withUsers(options, async api => {
                    const wards = wardsIn(options)
                    const more = { ...(wards && { wards }), ...(patient !== undefined && { patient }) }
                    await api.call("POST", "/api/users", User, { user: name, role, ...more })
                    if (!["router", "integrator"].includes(role)) await printSetupLink(api, name)
                }),
            ),
    )
    .addCommand(
        command("setup", "print a link that sets a user's password once, within a day")
            .argument("<name>", "user name")
            .option("--without-second-factor", "remove the second factor and the passkeys of who has lost them", false)
            .action((name: string, { withoutSecondFactor, ...options }: Options & { withoutSecondFactor: boolean }) =>
                withUsers(options, async api => {
                    const path = `/api/users/${encodeURIComponent(name)}/second-factor`
                    if (withoutSecondFactor) await api.call("DELETE", path, Type.Any())
                    await printSetupLink(api, name)
                }),
            ),
    )
    .addCommand(
        command("wards", "say whose patients a user sees from now on")
            .argument("<name>", "user name")
            .addOption(option("--ward <name...>", "these wards"))
            .addOption(option("--all-wards", "every ward").default(false))
            .action((name: string, options: WardOptions) =>
                withUsers(options, async api => {
                    const wards = wardsIn(options)
                    if (!wards) throw new UserError("--ward NAME or --all-wards is needed", 2)
                    await api.call("PUT", `/api/users/${encodeURIComponent(name)}/wards`, User, { wards })
                }),
            ),
    )
    .addCommand(
        command("remove", "remove a user with all sessions and tokens")
            .argument("<name>", "user name")
            .action((name: string, options: Options) =>
                withUsers(options, async api => {
                    await api.call("DELETE", `/api/users/${encodeURIComponent(name)}`, Type.Any())
                }),
            ),
    )

interface Options {
    data: string
}

interface WardOptions extends Options {
    ward?: string[]
    allWards: boolean
}

interface AddOptions extends WardOptions {
    role: string
    patient?: number
}

function wardsIn({ ward, allWards }: WardOptions): "all" | string[] | undefined {
    if (ward && allWards) throw new UserError("--ward and --all-wards: one of them", 2)
    return allWards ? "all" : ward
}

function command(name: string, description: string): Command {
    return new Command(name)
        .description(description)
        .addOption(option("--data <dir>", "data folder of the clinic").default(".vitalmote"))
}

async function withUsers(options: Options, work: (api: ClinicApi) => Promise<void>): Promise<void> {
    const access = await localAccess(options.data)
    if (!access) throw new UserError(`no clinic runs on ${options.data}: start it first, or give --data`)
    await withAccess(access, work)
}

async function printSetupLink(api: ClinicApi, name: string): Promise<void> {
    const path = `/api/users/${encodeURIComponent(name)}/setup-link`
    const { token, expiresAt, url } = await api.call("POST", path, SetupLink)
    console.log(url ?? `${api.url}/#setup=${token}`)
    console.error(`for ${name}, once, until ${new Date(expiresAt).toISOString()}`)
}
