import { Type, type Static } from "@sinclair/typebox"
import { Count, Id, List, Nullable, Time } from "./common.ts"

const Hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "32 bytes in hex" })
const Text = Nullable(Type.String())

export const ChainQuery = Type.Object({
    after: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description: "Number of the last event one has" })),
})
export const Chain = Type.Object({
    head: Nullable(Type.Object({ count: Count, hash: Hash, mac: Hash })),
    rows: List(
        Type.Object({
            id: Id,
            at: Time,
            account: Nullable(Count),
            user: Text,
            role: Text,
            credential: Text,
            address: Text,
            subject: Type.String(),
            action: Type.String(),
            outcome: Type.String(),
            patients: Type.String({ description: "JSON" }),
            request: Text,
            detail: Nullable(Type.String({ description: "JSON" })),
            hash: Hash,
            indexed: List(Id),
        }),
    ),
})
export type Chain = Static<typeof Chain>
