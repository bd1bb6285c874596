import { Type } from "@sinclair/typebox"

const id = Type.String({ pattern: "^[0-9a-f-]{36}$" })

export const ByHold = Type.Object({ id })
export const Hold = Type.Object({ id })
