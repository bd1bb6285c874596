import { Type, type Static } from "@sinclair/typebox"
import { ScenarioSchema } from "../scenario/schema.ts"
import { MoteSummarySchema } from "../run/summary.ts"
import { kinds } from "./kind.ts"

/* Content of `report.json`. Times are in seconds of simulated time, lengths in metres, charges in mA s. */

const strict = { additionalProperties: false }
const count = Type.Integer({ minimum: 0 })
const seconds = Type.Number({ minimum: 0 })
const node = Type.Integer({ minimum: 1, maximum: 65_535 })

const PlacedNode = Type.Object(
    {
        id: node,
        role: Type.String({ description: "border router, mote, or the kind of attacker" }),
        x: Type.Number(),
        y: Type.Number(),
        hasPower: Type.Boolean(),
    },
    strict,
)

const KindCount = Type.Object(
    {
        kind: Type.Union(kinds.map(kind => Type.Literal(kind))),
        frames: count,
        bytes: count,
        airS: { ...seconds, description: "on the air, with preamble and length" },
        sizes: Type.Array(Type.Tuple([count, count]), {
            description: "how many frames are how many bytes long, FCS included",
        }),
    },
    strict,
)

const Distribution = Type.Object(
    {
        count,
        meanS: seconds,
        medianS: seconds,
        p95S: seconds,
        maxS: seconds,
        bins: Type.Array(Type.Object({ fromS: seconds, toS: seconds, count }, strict)),
    },
    strict,
)

const Lane = Type.Object(
    {
        id: node,
        /** Parent changes; parent 0: none. */
        parents: Type.Array(Type.Object({ s: seconds, parent: Type.Integer({ minimum: 0 }), rank: count }, strict)),
        omitted: { ...count, description: "changes beyond those listed" },
        joins: Type.Array(Type.Object({ poweredS: seconds, joinedS: seconds }, strict)),
        off: Type.Array(Type.Tuple([seconds, seconds]), { description: "without power" }),
    },
    strict,
)

export const ReportSchema = Type.Object(
    {
        command: Type.String({ description: "command that reproduces it" }),
        scenario: ScenarioSchema,
        seed: Type.Integer(),
        seconds,
        nodes: Type.Array(PlacedNode),
        motes: Type.Array(MoteSummarySchema),
        lanes: Type.Array(Lane),
        latency: Distribution,
        latencyByHops: Type.Array(Type.Object({ hops: Type.Integer(), latency: Distribution }, strict)),
        kinds: Type.Array(KindCount),
        course: Type.Object(
            {
                stepS: seconds,
                airS: Type.Array(seconds, { description: "all senders together, per step" }),
                arrived: Type.Array(count, { description: "readings, per step" }),
            },
            strict,
        ),
        attackers: Type.Array(
            Type.Object(
                {
                    id: node,
                    kind: Type.String(),
                    frames: count,
                    envelopes: count,
                    readable: count,
                    sent: count,
                    swallowed: count,
                },
                strict,
            ),
        ),
        currents: Type.Object(
            {
                name: Type.String(),
                source: Type.String(),
                volts: Type.Number(),
                cpuMa: Type.Number(),
                sleepMa: Type.Number(),
                radioMa: Type.Object(
                    {
                        off: Type.Number(),
                        listen: Type.Number(),
                        receive: Type.Number(),
                        transmit: Type.Number(),
                    },
                    strict,
                ),
                cpuShare: Type.Number(),
            },
            strict,
        ),
        verdicts: Type.Array(
            Type.Object({ claim: Type.String(), holds: Type.Boolean(), found: Type.String() }, strict),
        ),
    },
    strict,
)

export type Report = Static<typeof ReportSchema>
export type Lane = Static<typeof Lane>
export type Distribution = Static<typeof Distribution>
export type KindCount = Static<typeof KindCount>
export type PlacedNode = Static<typeof PlacedNode>
