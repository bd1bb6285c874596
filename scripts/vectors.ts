// npm run vectors: writes the bytes in wire/vectors.json anew: packs as the firmware makes them, all else as the host does. The
// test then holds each implementation against what the other has made.
import { writeFileSync } from "node:fs"
import { madeByFirmware, madeByHost, readVectors } from "../test/wire/vectors.ts"

const inputs = readVectors()
const { packs, alarms } = await madeByFirmware(inputs)
writeFileSync("wire/vectors.json", `${JSON.stringify(madeByHost({ ...inputs, packs, alarms }), null, 4)}\n`)
