import assert from "node:assert/strict"
import { copyFileSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { Agent, request } from "undici"
import { readCredentials } from "../../cli/credentials.ts"
import { decodeResults, encodeBatch } from "../../wire/batch.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { TestMote } from "../support/mote.ts"
import { noPostgres, TestPostgres } from "../support/postgres.ts"
import { until } from "../support/until.ts"
import { finished, run, temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"

const isOnDuty = /this process watches the time for alarms/

test(
    "two clinics on one database: what one takes the other's page shows at once, and takes over when the first is killed",
    { skip: noPostgres },
    async t => {
        const server = await TestPostgres.start()
        t.after(() => server.close())
        await server.sql("CREATE ROLE vitalmote LOGIN PASSWORD 'sesame'")
        await server.sql("CREATE DATABASE clinic OWNER vitalmote")
        const database = server.url("clinic", "vitalmote:sesame")
        const [first, second] = [temporaryFolder(t), temporaryFolder(t)]

        const seen = await finished(["clinic", "--data", first, "--database", database])
        assert.equal(seen.code, 2)
        assert.match(seen.stderr, /everybody on this machine can see a password there/)
        assert.doesNotMatch(seen.stderr, /sesame/)

        const env = { VITALMOTE_DATABASE: database }
        const ports = [await freePort(), await freePort()]
        const start = (data: string, i: number) =>
            run(t, ["clinic", "--data", data, "--https-port", String(ports[i])], env)
        const a = start(first, 0)
        await a.line("ready")

        const refused = await finished(["clinic", "--data", second, "--https-port", String(ports[1])], env)
        assert.equal(refused.code, 1)
        assert.match(
            refused.stderr,
            /clinic\.key is missing, and the database is in use: copy it from the other machine/,
        )
        mkdirSync(join(second, "clinic"), { recursive: true })
        copyFileSync(join(first, "clinic", "clinic.key"), join(second, "clinic", "clinic.key"))
        const b = start(second, 1)
        await b.line("ready")

        const { doctor, router } = readCredentials(join(first, "credentials.json"))!
        const ask = async (
            i: number,
            method: "GET" | "POST",
            path: string,
            o: { token?: string; cookie?: string; body?: string | Uint8Array } = {},
        ) => {
            const agent = agents[i]!
            const isBatch = typeof o.body === "object"
            return await request(`https://localhost:${ports[i]}${path}`, {
                ...{ method, dispatcher: agent, ...(o.body !== undefined && { body: o.body }) },
                headers: {
                    ...(o.token !== undefined && { authorization: `Bearer ${o.token}` }),
                    ...(o.cookie !== undefined && { cookie: o.cookie }),
                    ...(o.body !== undefined && { "content-type": isBatch ? "application/cbor" : "application/json" }),
                },
            })
        }
        const agents = [first, second].map(
            data => new Agent({ connect: { ca: readFileSync(join(data, "clinic", "ca.pem")) } }),
        )
        t.after(() => Promise.all(agents.map(agent => agent.destroy())))
        const login = await ask(1, "POST", "/api/login", {
            body: JSON.stringify({ user: doctor.user, password: doctor.password }),
        })
        assert.equal(login.statusCode, 200)
        const cookie = String(login.headers["set-cookie"]).split(";")[0]!
        const own = { token: doctor.token }
        const made = async (path: string, body: object) =>
            (await (await ask(0, "POST", path, { ...own, body: JSON.stringify(body) })).body.json()) as Record<
                string,
                string
            >
        const patient = await made("/api/patients", { given: "Ada", family: "Beck" })
        const mote = await made("/api/motes", { patient: patient.id })
        const [kid, secret] = [mote.kid!, mote.secret!].map(hex => Buffer.from(hex, "hex"))
        const sealer = new TestMote({ kid: kid!, secret: secret! })

        const live = await ask(1, "GET", "/api/live", { cookie })
        assert.equal(live.statusCode, 200)
        let told = ""
        live.body.on("data", (text: Buffer) => (told += text.toString())).on("error", () => {})
        const ingest = async (i: number, value: number) => {
            const now = Date.now()
            const envelope = sealer.seal([measurement("hr", value, now)], now)
            const { body } = await ask(i, "POST", "/ingest", {
                token: router.token,
                body: encodeBatch([delivery(envelope, now)]),
            })
            return decodeResults(new Uint8Array(await body.arrayBuffer())).map(({ status }) => status)
        }
        assert.deepEqual(await ingest(0, 71), ["stored"])
        await until(() => told.includes('"value":71'), "the page of the second clinic shows it")
        const ward = (await (await ask(1, "GET", "/api/ward", { cookie })).body.json()) as {
            patients: { given: string }[]
        }
        assert.deepEqual(
            ward.patients.map(({ given }) => given),
            ["Ada"],
        )

        assert.doesNotMatch(b.stderr, isOnDuty)
        await a.kill()
        await until(() => isOnDuty.test(b.stderr), "the second clinic takes over")
        assert.deepEqual(await ingest(1, 72), ["stored"])
        await until(() => told.includes('"value":72'), "its page goes on")
        assert.equal(await b.stop(), 0)
        for (const { stderr, stdout } of [a, b]) assert.doesNotMatch(stderr + stdout, /sesame/)

        const again = start(first, 0)
        await again.line("ready")
        assert.match((await finished(["audit", "verify", "--data", first])).stdout, /^the audit record is whole/)
        assert.equal(await again.stop(), 0)
    },
)
