import { Type, type TLiteral, type TUnion } from "@sinclair/typebox"

/* Values shared by several schemas of the simulator. */

export const strict = { additionalProperties: false }
export const id = Type.Integer({ minimum: 1, maximum: 65_534, description: "number of a node" })
export const share = Type.Number({ minimum: 0, maximum: 1 })

/** A string that is one of the given words. */
export function oneOf<const T extends string>(words: readonly T[]): TUnion<TLiteral<T>[]> {
    return Type.Union(words.map(word => Type.Literal(word)))
}
