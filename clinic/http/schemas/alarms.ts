import { Type, type Static } from "@sinclair/typebox"
import { Eui, Id, IdText, Nullable, Time } from "./common.ts"

export const AlarmQuery = Type.Object({ patient: Type.Optional(IdText) }, { additionalProperties: false })
export const Acknowledgement = Type.Object({ acknowledged: Type.Literal(true) }, { additionalProperties: false })

export const Alarm = Type.Object({
    id: Id,
    patient: Id,
    mote: Eui,
    kind: Type.String({ description: "See docs/alarms.md; newer motes may have others" }),
    unit: Nullable(Type.String({ description: "SenML unit of the values" })),
    raisedAt: Time,
    raisedAbout: Type.Boolean({ description: "That time is an estimate" }),
    raisedValue: Nullable(Type.Number()),
    clearedAt: Nullable(Time),
    clearedAbout: Type.Boolean({ description: "That time is an estimate" }),
    clearedValue: Nullable(Type.Number()),
    storedAt: Time,
    acknowledgedAt: Nullable(Time),
    acknowledgedBy: Nullable(Type.String({ description: "User name" })),
    isOpen: Type.Boolean({ description: "Belongs on the screen" }),
})
export type Alarm = Static<typeof Alarm>
