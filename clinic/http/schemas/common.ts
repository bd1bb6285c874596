import { Type, type Static, type TSchema } from "@sinclair/typebox"

/*
 * What goes over the wire at /api, each shape once: routes check requests by these, /api/openapi.json is made of them, and the
 * types of page and command line are taken from them. Answers may get more fields; who reads them passes over those.
 */

/** A number in an address; everything there is text. */
export const IdText = Type.String({ pattern: "^[1-9][0-9]{0,14}$" })
export const ById = Type.Object({ id: IdText })

/** A mote in an address. */
export const ByKid = Type.Object({ kid: Type.String({ pattern: "^[0-9a-f]{16}$" }) })

export const Id = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
export const Time = Type.Integer({ minimum: -8.64e15, maximum: 8.64e15, description: "Unix time in milliseconds" })
export const Eui = Type.String({ pattern: "^[0-9a-f]{16}$", description: "EUI-64 of a mote" })
export const Count = Type.Integer({ minimum: 0 })

/** A line of text without control characters. */
export const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: "^[^\\p{Cc}]+$" })

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** In a request: may be null or left out; both mean that there is none. */
export const OptionalOrNull = <T extends TSchema>(schema: T) => Type.Optional(Nullable(schema))

/** A list that nobody who gets it changes. */
export const List = <T extends TSchema>(item: T) => Type.Unsafe<readonly Static<T>[]>(Type.Array(item))

export const OneOf = <const T extends string>(values: readonly T[]) =>
    Type.Union(values.map(value => Type.Literal(value)))

/** An answer without a body. */
export const NoContent = Type.Null({ description: "Done" })

/** Problem details, RFC 9457; wire/tables/problems.ts has the codes and the parameters that go with each. */
export const Failure = Type.Object(
    {
        type: Type.String({ pattern: "^urn:vitalmote:problem:", description: "The code, behind the prefix" }),
        status: Type.Integer({ minimum: 400, maximum: 599 }),
        detail: Type.String({ description: "One line, for people" }),
    },
    { description: "What was wrong", additionalProperties: true },
)
