// npm run vectors: regenerates the bytes in wire/vectors.json from what they say, with the host code. The tests then check
// the firmware and an independent program against them.
import { writeFileSync } from "node:fs"
import { madeByHost, readVectors } from "../test/wire/vectors.ts"

writeFileSync("wire/vectors.json", `${JSON.stringify(madeByHost(readVectors()), null, 4)}\n`)
