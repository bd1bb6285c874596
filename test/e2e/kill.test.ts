import assert from "node:assert/strict"
import { randomInt } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import Database from "libsql"
import type { Credentials } from "../../cli/credentials.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { isLong } from "../support/long.ts"
import { until } from "../support/until.ts"
import { apiClient } from "./api.ts"
import { run, temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"
import { Tap } from "./tap.ts"

/** Each of the three is killed as often as the others. */
const rounds = isLong ? 9 : 3
/** A kill comes after so many pieces of a connection, there or back, at the most: an exchange has a handful. */
const maxPieces = 6

interface MoteView {
    kid: string
    stored: number
    missing: number
}

test("kill -9 of clinic, router and mote while readings flow: what got a receipt is in the clinic, once", async t => {
    const data = temporaryFolder(t)
    const [httpsPort, coapPort, tapPort] = [await freePort(), await freePort(), await freePort()]
    const startClinic = async () => {
        const clinic = run(t, ["clinic", "--data", data, "--https-port", String(httpsPort)])
        await clinic.line("ready")
        return clinic
    }
    let clinic = await startClinic()
    const credentials = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const api = apiClient(t, credentials)
    const patient = await api<{ id: number }>("POST", "/api/patients", {
        given: "Kim",
        family: "Case",
    })
    const { kid, secret } = await api<{ kid: string; secret: string }>("POST", "/api/motes", {
        patient: patient.id,
    })
    await api("PUT", `/api/motes/${kid}/config`, { settings: { report: 2 } })
    const keys = deriveKeys(Buffer.from(secret, "hex"), Buffer.from(kid, "hex"))
    const tap = await Tap.listen(tapPort, coapPort, keys.receipt)
    t.after(() => tap.close())

    const startRouter = async () => {
        const ports = ["--coap-port", String(coapPort), "--mqtt-port", "0"]
        const place = ["--clinic", credentials.clinic, "--ca", credentials.ca]
        const router = run(t, ["router", "--data", data, ...place, ...ports], {
            VITALMOTE_TOKEN: credentials.router.token,
        })
        await router.line("ready")
        return router
    }
    const startMote = async () => {
        const url = `coap+tcp://localhost:${tapPort}`
        const mote = run(t, ["mote", "--data", data, "--kid", kid, "--router", url], {
            VITALMOTE_SECRET: secret,
        })
        await mote.line("mote")
        return mote
    }
    let router = await startRouter()
    let mote = await startMote()
    const view = async () => (await api<MoteView[]>("GET", "/api/motes")).find(view => view.kid === kid)!
    const flows = async () => {
        const { size } = tap.receipted
        await until(() => tap.receipted.size > size + 1, "receipts that flow")
    }
    await flows()

    for (let n = 0; n < rounds; n++) {
        for (let pieces = randomInt(1, maxPieces + 1); pieces > 0; pieces--) await tap.piece()
        if (n % 3 === 0) {
            await clinic.kill()
            clinic = await startClinic()
        } else if (n % 3 === 1) {
            await router.kill()
            router = await startRouter()
        } else {
            await mote.kill()
            mote = await startMote()
        }
        await flows()
    }
    await mote.stop()
    const receipted = [...tap.receipted]
    await until(async () => (await view()).stored >= receipted.length, "all of them in the clinic")
    const { stored, missing } = await view()
    assert.equal(missing, 0, "no gap in seq")
    assert.equal(await router.stop(), 0)
    assert.equal(await clinic.stop(), 0)

    const database = new Database(join(data, "clinic", "clinic.db"))
    t.after(() => database.close())
    const rows = database.prepare("SELECT purpose, boot, salt, seq FROM envelope").all() as {
        purpose: "vitals" | "alarm"
        boot: number
        salt: Uint8Array
        seq: number
    }[]
    const inClinic = rows.map(({ purpose, boot, salt, seq }) => {
        const number = Buffer.alloc(8)
        number.writeUInt32BE(boot, 0)
        number[0] = purpose === "alarm" ? 0x22 : 0x21
        number.writeUInt32BE(seq, 4)
        return number.toString("hex", 0, 4) + Buffer.from(salt).toString("hex") + number.toString("hex", 4)
    })
    assert.equal(new Set(inClinic).size, stored)
    assert.deepEqual(
        receipted.filter(nonce => !inClinic.includes(nonce)),
        [],
        "every receipted envelope is in the clinic",
    )
    const twice = database
        .prepare("SELECT time FROM measurement WHERE name = 'hr' GROUP BY time HAVING COUNT(*) > 1")
        .all()
    assert.deepEqual(twice, [], "each reading once")
    t.diagnostic(`${receipted.length} envelopes receipted, ${stored} stored, ${rounds} kills`)
})
