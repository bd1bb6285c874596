import { Type, type Static } from "@sinclair/typebox"
import { Id, IdText, List, Time } from "./common.ts"

/** Several lines are fine, other control characters are not; not only blanks. */
const NoteText = Type.String({ minLength: 1, maxLength: 1000, pattern: "^(?=[^]*\\S)[^\\x00-\\x09\\x0b-\\x1f\\x7f]+$" })

export const NewNote = Type.Object({ text: NoteText }, { additionalProperties: false })

export const NoteQuery = Type.Object(
    {
        from: Type.Optional(Type.String({ ...IdText, description: "Unix ms" })),
        before: Type.Optional(Type.String({ ...IdText, description: "Unix ms" })),
    },
    { additionalProperties: false },
)

export const Note = Type.Object({
    id: Id,
    patient: Id,
    text: Type.String(),
    time: Time,
    by: Type.String({ description: "User name" }),
})
export type Note = Static<typeof Note>

export const Notes = Type.Object({
    notes: List(Note),
    isWhole: Type.Boolean({
        description: "False where there are more than the clinic gives at once: ask for less time",
    }),
})
export type Notes = Static<typeof Notes>
