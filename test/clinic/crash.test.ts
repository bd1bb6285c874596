import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { test, type TestContext } from "node:test"
import { Agent, request } from "undici"
import { chainPage, chainPages, readSqlite, sealingKey, verifyChain } from "../../clinic/index.ts"
import { compiledFile } from "../../host/compiled.mjs"
import { decodeResults, encodeBatch, type Delivery, type DeliveryResult } from "../../wire/batch.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"

interface Child {
    agent: Agent
    kill(): Promise<void>
    url: string
    /** Of the router. */
    token: string
    /** The doctor's token. */
    doctor: string
    kid: string
    secret: string
}

const program = await compiledFile("test/clinic/crash-child.ts")

/** Starts a clinic in a process of its own, under the command `wrapper` where given. */
async function startChild(t: TestContext, data: string, wrapper: string[] = []): Promise<Child> {
    const [command, ...args] = [...wrapper, process.execPath, program, data]
    const child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"], detached: true })
    const gone = new Promise<void>(resolve => child.once("exit", () => resolve()))
    const kill = async () => {
        if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL")
        await gone
    }
    t.after(kill)
    for await (const line of createInterface(child.stdout)) {
        const agent = new Agent({ connect: { ca: readFileSync(join(data, "ca.pem")) } })
        t.after(() => agent.destroy())
        return { agent, kill, ...(JSON.parse(line) as Omit<Child, "agent" | "kill">) }
    }
    throw new Error("the clinic did not start")
}

function temporaryFolder(t: TestContext): string {
    const folder = mkdtempSync(join(tmpdir(), "clinic-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
}

function moteOf(child: Child): TestMote {
    return new TestMote({
        kid: Buffer.from(child.kid, "hex"),
        secret: Buffer.from(child.secret, "hex"),
    })
}

/** Throws where the answer is not 200. */
async function deliver(child: Child, batch: Delivery[]): Promise<DeliveryResult[]> {
    const { statusCode, body } = await request(`${child.url}/ingest`, {
        ...{ method: "POST", dispatcher: child.agent, body: encodeBatch(batch) },
        headers: {
            authorization: `Bearer ${child.token}`,
            "content-type": "application/cbor",
        },
    })
    const bytes = Buffer.from(await body.arrayBuffer())
    assert.equal(statusCode, 200)
    return decodeResults(bytes)
}

/** How many vital signs the clinic has. */
async function count({ url, doctor, agent }: Child): Promise<number> {
    const { body } = await request(`${url}/fhir/Observation?_count=0`, {
        ...{ dispatcher: agent, headers: { authorization: `Bearer ${doctor}` } },
    })
    return ((await body.json()) as { total: number }).total
}

test("kill -9 while batches go in: what was answered is there afterwards, once", async t => {
    const data = temporaryFolder(t)
    const batches: Delivery[][] = []
    const answered = new Set<number>()
    let mote: TestMote | undefined
    for (const deliveriesBeforeKill of [3, 9, 20]) {
        const child = await startChild(t, data)
        mote ??= moteOf(child)
        let isAlive = true
        const lane = async () => {
            while (isAlive) {
                const now = Date.now()
                const batch = Array.from({ length: 5 }, () => {
                    const value = 20 + (mote!.seq % 280)
                    return delivery(mote!.seal([measurement("hr", value, now)], now), now)
                })
                const index = batches.push(batch) - 1
                const results = await deliver(child, batch).catch(() => undefined)
                if (!results) return
                assert.ok(results.every(r => r.status === "stored"))
                answered.add(index)
                if (answered.size % deliveriesBeforeKill === 0) {
                    isAlive = false
                    await child.kill()
                }
            }
        }
        await Promise.all([lane(), lane(), lane(), lane()])
        await child.kill()
    }

    const child = await startChild(t, data)
    let unanswered = 0
    for (const [index, batch] of batches.entries()) {
        const results = await deliver(child, batch)
        const status = new Set(results.map(r => r.status))
        assert.equal(status.size, 1, "a batch is stored as a whole or not at all")
        if (answered.has(index)) assert.ok(status.has("duplicate"))
        else unanswered++
    }
    assert.ok(answered.size >= 3 && unanswered > 0, "batches were under way at the kill")
    assert.equal(await count(child), batches.length * 5)
    await child.kill()
})

test("a disk that takes no more: the router hears of it, nothing is half there, reading goes on", async t => {
    if (process.platform === "win32") return t.skip("needs ulimit")
    const data = temporaryFolder(t)
    const limited = await startChild(t, data, ["sh", "-c", 'ulimit -f 1500; exec "$@"', "sh"])
    const mote = moteOf(limited)
    const values = Array.from({ length: 20 }, (_, i) => i)
    const next = () =>
        values.map(() => {
            const now = Date.now()
            const pack = values.map(i => measurement("hr", 60 + i, now - i))
            return delivery(mote.seal(pack, now), now)
        })
    let stored = 0
    let batch = next()
    for (
        ;
        await deliver(limited, batch).then(
            () => true,
            () => false,
        );
        batch = next()
    ) {
        stored += batch.length * values.length
        assert.ok(stored < 100_000, "the limit was never reached")
    }
    await assert.rejects(deliver(limited, batch), /50[37]/)
    assert.equal(await count(limited), stored)
    await limited.kill()

    const child = await startChild(t, data)
    assert.equal(await count(child), stored)
    const results = await deliver(child, batch)
    assert.ok(results.every(r => r.status === "stored"))
    await child.kill()
})

test("what is answered was synced to the disk before", async t => {
    if (spawnSync("strace", ["-o", "/dev/null", "true"]).status !== 0)
        return t.skip("needs strace that may trace: syncs were NOT counted")
    const data = temporaryFolder(t)
    const trace = join(data, "trace")
    const strace = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace]
    const child = await startChild(t, data, strace)
    const mote = moteOf(child)
    const syncs = () => readFileSync(trace, "utf8").match(/\bf(data)?sync\(\d+<.*clinic\.db/g)?.length ?? 0
    for (let i = 0; i < 10; i++) {
        const before = syncs()
        const now = Date.now()
        const [result] = await deliver(child, [delivery(mote.seal([], now), now)])
        assert.equal(result?.status, "stored")
        assert.ok(syncs() > before, "no sync between the batch and its answer")
    }
    await child.kill()
})

test("kill -9 right after the answers: whoever looked, and what was changed, is in the audit record, and it is whole", async t => {
    const data = temporaryFolder(t)
    const child = await startChild(t, data)
    const call = async (method: "GET" | "POST", path: string, json?: object) => {
        const { statusCode, body } = await request(child.url + path, {
            ...{ method, dispatcher: child.agent, ...(json && { body: JSON.stringify(json) }) },
            headers: { authorization: `Bearer ${child.doctor}`, ...(json && { "content-type": "application/json" }) },
        })
        await body.dump()
        return statusCode
    }
    const [patient] = await Promise.all([
        call("GET", "/api/patients/1"),
        call("GET", "/api/ward"),
        call("POST", "/api/patients/1/notes", { text: "slept well" }),
    ])
    assert.equal(patient, 200)
    await child.kill()
    const store = readSqlite(join(data, "clinic.db"))
    t.after(() => store.close())
    const events = await store.audit.search({ user: "doctor", limit: 10 })
    assert.deepEqual(events.map(({ subject, action }) => `${action} ${subject}`).sort(), [
        "add notes",
        "look patient",
        "look ward",
    ])
    const key = sealingKey(readFileSync(join(data, "clinic.key")))
    const verdict = await verifyChain(
        chainPages(after => chainPage(store, after)),
        { key, anchors: [] },
    )
    assert.equal(verdict.bad, undefined)
})
