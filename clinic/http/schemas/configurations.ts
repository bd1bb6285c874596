import type { Refusal as WireRefusal } from "../../../wire/tables/refusals.ts"
import { Type, type Static } from "@sinclair/typebox"
import { Count, Eui, Id, List, Nullable, OneOf, Time } from "./common.ts"

export const NewConfiguration = Type.Object(
    {
        settings: Type.Object({}, { description: "What is absent is as by default" }),
        base: Type.Optional(
            Type.Integer({
                minimum: 0,
                description: "The newest version its author has seen, 0 for none; where there is a newer one: 409",
            }),
        ),
    },
    { additionalProperties: false },
)

const CommandName = OneOf(["identify", "clear"])
export type CommandName = Static<typeof CommandName>
export const NewCommand = Type.Object({ command: CommandName }, { additionalProperties: false })

export const Command = Type.Object({
    version: Count,
    command: CommandName,
    author: Type.String(),
    madeAt: Time,
    expiresAt: Time,
})

export type Command = Static<typeof Command>

export const Settings = Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()]))
export type Settings = Static<typeof Settings>

const Refusal = Type.Unsafe<WireRefusal>(
    Type.Object(
        { code: Type.String({ description: "docs/wire.md, Refusals; its parameters beside it" }) },
        { description: "The mote's reason, where it refused it or took it back", additionalProperties: true },
    ),
)

export const Configuration = Type.Object({
    version: Count,
    settings: Settings,
    author: Type.String(),
    madeAt: Time,
    state: OneOf(["pending", "applied", "refused", "rolled-back", "superseded"]),
    reason: Nullable(Refusal),
    answeredAt: Nullable(Time),
})
export type Configuration = Static<typeof Configuration>

const ConfigField = Type.Object({
    name: Type.String(),
    number: Type.Integer({ description: "In refusals on the wire" }),
    label: Type.String(),
    unit: Type.String(),
    min: Type.Number(),
    max: Type.Number(),
    default: Type.Number(),
    step: Type.Number(),
    description: Type.String(),
    choices: Type.Optional(List(Type.String())),
})
export type ConfigField = Static<typeof ConfigField>

export const MoteConfiguration = Type.Object({
    kid: Eui,
    patient: Nullable(Id),
    inForce: Type.Object({ version: Count, heardAt: Nullable(Time), settings: Nullable(Settings) }),
    newest: Nullable(Configuration),
    /** What a change starts from: all that will be in force if nothing is refused. */
    settings: Settings,
    commands: List(Command),
    fields: List(ConfigField),
    router: Type.Object({
        name: Type.String(),
        label: Type.String(),
        maxBytes: Type.Integer(),
        default: Type.String(),
        expected: Type.String({ description: "What a value looks like" }),
        description: Type.String(),
    }),
})
export type MoteConfiguration = Static<typeof MoteConfiguration>
