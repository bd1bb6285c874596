/*
 * The server for bench/hostile-clinic.ts, in its own process: a clinic in the given folder with one patient who has many
 * readings. It sends its address and tokens, and on request how long it was blocked at most since the last request.
 */
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { sql } from "kysely"
import { openSqlite, startClinic } from "../clinic/index.ts"
import { silentLog } from "../host/log.ts"
import { sealEnvelope } from "../wire/envelope.ts"
import { deriveKeys } from "../wire/keys.ts"
import { encodePack } from "../wire/pack.ts"

const readings = 300_000
const stepMs = 2_000
const data = process.argv[2]!
const start = () => startClinic({ data, port: 0, log: silentLog })

let running = await start()
const { clinic } = running
const { doctor, router } = (await clinic.setUp())!
const { id: patient } = await clinic.patients.add({ given: "Ada", family: "Beck" })
const account = await clinic.accounts.add({ name: "ada", role: "patient", password: "a password of ada", patient })
const patientToken = await clinic.accounts.addToken(account.id)
const { mote, secret } = await clinic.motes.register(patient)
const now = Date.now()
const measurement = { name: "hr", unit: "beat/min", value: 60, time: now, relative: false }
const plaintext = encodePack([measurement], now)
const first = { purpose: "vitals", boot: 1, salt: randomBytes(5), seq: 0, plaintext } as const
const envelope = sealEnvelope({ ...deriveKeys(secret, mote.kid), ...first })
await clinic.ingest([{ id: 1, purpose: "vitals", receivedAt: now, envelope }])
await running.close()

const store = openSqlite(join(data, "clinic.db"))
await sql`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${readings})
    INSERT INTO measurement (envelope, mote, patient, name, unit, value, time, relative)
    SELECT envelope, mote, patient, name, unit, 60 + i % 40, time - i * ${stepMs}, 0 FROM measurement, n
`.execute(store.db)
await store.close()

running = await start()
let longestMs = 0
let last = performance.now()
setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last - 5)
    last = performance.now()
}, 5)
process.on("message", () => {
    process.send!({ longestMs, rss: process.memoryUsage().rss })
    longestMs = 0
})
process.on("disconnect", () => process.exit())
process.send!({
    url: running.url,
    caFile: running.caFile,
    doctor,
    routerToken: router.token,
    patientToken,
    patient,
    from: now - readings * stepMs,
    before: now,
})
