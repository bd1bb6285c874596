import { Type } from "@sinclair/typebox"

/* What several parts of a scenario are made of. */

export const strict = { additionalProperties: false }
export const id = Type.Integer({ minimum: 1, maximum: 65_534, description: "number of a node" })
export const share = Type.Number({ minimum: 0, maximum: 1 })
