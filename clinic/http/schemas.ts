import { Type, type TSchema } from "@sinclair/typebox"

/** A number in an address; everything there is text. */
export const Id = Type.String({ pattern: "^[1-9][0-9]{0,14}$" })

/** A mote in an address. */
export const ByKid = Type.Object({ kid: Type.String({ pattern: "^[0-9a-f]{16}$" }) })

/** A line of text without control characters. */
export const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: "^[^\\p{Cc}]+$" })

/** May be null or left out; both mean that there is none. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
