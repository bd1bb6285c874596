import { Type } from "@sinclair/typebox"

export const cborType = "application/cbor"

const cbor = (description: string) =>
    Type.Unsafe<Uint8Array>(Type.String({ contentMediaType: cborType, description: `${description} (docs/wire.md)` }))

export const Batch = cbor("A batch of envelopes")
export const Results = cbor("What became of each envelope, in the order of the batch")
export const Wanted = cbor("The motes that have shown up, by their kid")
export const Keys = cbor("For each mote: the keys a router may hold, and what waits for the mote")
