import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"

/*
 * A clinic to be killed: takes its data folder as the argument and prints one line of JSON with what one needs to deliver
 * to it, the same at every start.
 */

const data = process.argv[2]!
const { url, clinic } = await startClinic({ data, port: 0, log: silentLog })
const file = join(data, "test.json")
if (!existsSync(file)) {
    const credentials = (await clinic.setUp())!
    const { id } = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(id)
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
    const known = {
        ...{ token: credentials.router.token, doctor: credentials.doctor.token },
        ...{ kid: hex(mote.kid), secret: hex(secret) },
    }
    writeFileSync(file, JSON.stringify(known))
}
console.log(JSON.stringify({ url, ...JSON.parse(readFileSync(file, "utf8")) }))
