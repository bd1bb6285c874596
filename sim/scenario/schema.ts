import { Type, type Static } from "@sinclair/typebox"
import { alarmKinds } from "../../wire/tables/alarm-kinds.ts"
import { configFields } from "../../wire/tables/settings.ts"
import { MediumSchema } from "../radio/media/media.ts"
import { conditionNames } from "../body/conditions.ts"
import { modeNames, objectiveNames } from "../net/rpl/profile.ts"
import { attackerKinds } from "../attack/kinds.ts"
import { id, oneOf, share, strict } from "../schema-values.ts"

/* Scenario schema. Lengths are in metres, times in seconds, shares from 0 to 1. */

const metres = Type.Number({ minimum: -100_000, maximum: 100_000 })
const seconds = Type.Number({ minimum: 0, maximum: 10_000_000 })
const place = { x: metres, y: metres }

const waypoint = Type.Object({ at: seconds, ...place }, strict)

const wearer = Type.Object(
    {
        condition: Type.Optional(oneOf(conditionNames)),
        within: Type.Optional(
            Type.Number({ minimum: 60, maximum: 1_000_000, description: "how long the condition's course takes" }),
        ),
        bpm: Type.Optional(Type.Number({ minimum: 30, maximum: 240 })),
        temperature: Type.Optional(Type.Number({ minimum: 30, maximum: 43 })),
        spo2: Type.Optional(Type.Number({ minimum: 60, maximum: 100 })),
    },
    strict,
)

const mote = Type.Object(
    {
        id,
        ...place,
        path: Type.Optional(Type.Array(waypoint, { maxItems: 1000, description: "positions and their times" })),
        wearer: Type.Optional(wearer),
        battery: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "charge in mAh; default: unlimited" })),
        start: Type.Optional(seconds),
        silicon: Type.Optional(
            Type.Literal("picow", {
                description: "runs on an emulated Pico W, not in DeviceScript's VM as WebAssembly",
            }),
        ),
    },
    strict,
)

const configuration = Type.Object(
    Object.fromEntries(
        configFields.map(({ name, min, max, description }) => [
            name,
            Type.Optional(Type.Number({ minimum: min, maximum: max, description })),
        ]),
    ),
    { ...strict, description: "settings that the clinic sends to every mote over the air" },
)

const grid = Type.Object(
    {
        first: id,
        count: Type.Integer({ minimum: 1, maximum: 500 }),
        columns: Type.Integer({ minimum: 1, maximum: 500 }),
        spacing: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
        ...place,
        wearer: Type.Optional(wearer),
        jitter: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000, description: "maximum random offset" })),
        walking: Type.Optional(
            Type.Object(
                {
                    share,
                    speed: Type.Number({ exclusiveMinimum: 0, maximum: 100 }),
                },
                { ...strict, description: "a share of them walks about, at this many metres per second" },
            ),
        ),
    },
    { ...strict, description: "motes in rows" },
)

const attacker = Type.Object(
    {
        id,
        ...place,
        kind: oneOf(attackerKinds),
        from: Type.Optional(seconds),
        to: Type.Optional(seconds),
        every: Type.Optional(
            Type.Number({ minimum: 0.001, maximum: 3600, description: "interval between its actions" }),
        ),
    },
    strict,
)

const event = Type.Object(
    {
        at: seconds,
        do: oneOf(["kill", "start", "reboot", "crash", "move", "repair", "medium"]),
        mote: Type.Optional(id),
        motes: Type.Optional(Type.Array(id, { minItems: 1, maxItems: 500 })),
        x: Type.Optional(metres),
        y: Type.Optional(metres),
        medium: Type.Optional(MediumSchema),
    },
    strict,
)

const assertion = Type.Union([
    Type.Object({ joined: share, within: Type.Optional(seconds) }, strict),
    Type.Object({ delivery: share }, strict),
    Type.Object({ latency: seconds, share: Type.Optional(share) }, strict),
    Type.Object({ recovery: seconds, after: seconds }, strict),
    Type.Object({ ping: id, replies: share, ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: 255 })) }, strict),
    Type.Object({ alarm: oneOf(Object.keys(alarmKinds)), mote: id, within: seconds }, strict),
    Type.Object({ refused: Type.Integer({ minimum: 1 }) }, strict),
    Type.Object({ forged: Type.Literal(0) }, strict),
])

export const ScenarioSchema = Type.Object(
    {
        title: Type.String({ minLength: 1, maxLength: 200 }),
        about: Type.Optional(Type.String({ maxLength: 4000 })),
        seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
        duration: Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 }),
        startup: Type.Optional(
            Type.Number({
                ...{ minimum: 0, maximum: 10_000_000 },
                description: "the motes are switched on at random within this time",
            }),
        ),
        network: Type.Optional(
            Type.Object(
                {
                    mode: Type.Optional(oneOf(modeNames)),
                    objective: Type.Optional(oneOf(objectiveNames)),
                    prefix: Type.Optional(Type.String({ maxLength: 43 })),
                    pan: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xfffe })),
                },
                strict,
            ),
        ),
        medium: Type.Optional(MediumSchema),
        configuration: Type.Optional(configuration),
        root: Type.Object({ id, ...place }, strict),
        motes: Type.Optional(Type.Array(mote, { maxItems: 500 })),
        grids: Type.Optional(Type.Array(grid, { maxItems: 20 })),
        attackers: Type.Optional(Type.Array(attacker, { maxItems: 20 })),
        events: Type.Optional(Type.Array(event, { maxItems: 10_000 })),
        assert: Type.Optional(Type.Array(assertion, { maxItems: 100 })),
    },
    strict,
)

export type Wearer = Static<typeof wearer>
export type Scenario = Static<typeof ScenarioSchema>
export type Assertion = Static<typeof assertion>
export type ScenarioEvent = Static<typeof event>
