import { Type } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import type { Network } from "../browser/messages.ts"

const maxNodes = 1024
const address = Type.String({ pattern: "^[0-9a-f:]{2,39}$" })
const report = Type.Object({
    address,
    neighbours: Type.Array(
        Type.Object({
            address,
            rank: Type.Integer({ minimum: 0, maximum: 65535 }),
            etx: Type.Number({ minimum: 0, maximum: 65535 }),
        }),
        { maxItems: maxNodes },
    ),
    routes: Type.Array(
        Type.Object({ target: address, via: address, lifetimeS: Type.Integer({ minimum: -1, maximum: 2 ** 32 }) }),
        { maxItems: maxNodes },
    ),
})

/** Reads what a border router reports. Throws Error if it is something else. */
export function parseNetwork(payload: Uint8Array): Network {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload))
    if (!Value.Check(report, value)) throw new Error("not the report of a border router")
    return value
}
