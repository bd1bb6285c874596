// npm run vectors: regenerates the bytes in wire/vectors.json, packs with the firmware and everything else with the
// host code. The tests then check each implementation against the other's output.
import { writeFileSync } from "node:fs"
import { madeByFirmware, madeByHost, readVectors } from "../test/wire/vectors.ts"

const inputs = readVectors()
const { packs, alarms } = await madeByFirmware(inputs)
writeFileSync("wire/vectors.json", `${JSON.stringify(madeByHost({ ...inputs, packs, alarms }), null, 4)}\n`)
