import assert from "node:assert/strict"
import { spawn, type ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { Agent, request } from "undici"
import { decodeResults, encodeBatch, type Delivery } from "../../wire/batch.ts"
import { delivery, measurement, SealingMote } from "./support.ts"

interface Child {
    process: ChildProcess
    url: string
    /** Of the router. */
    token: string
    /** The doctor's token. */
    doctor: string
    kid: string
    secret: string
}

const program = fileURLToPath(new URL("./crash-child.ts", import.meta.url))

async function startChild(data: string): Promise<Child> {
    const child = spawn(process.execPath, ["--import", "tsx", program, data], {
        stdio: ["ignore", "pipe", "inherit"],
    })
    for await (const line of createInterface(child.stdout))
        return { process: child, ...(JSON.parse(line) as Omit<Child, "process">) }
    throw new Error("the clinic did not start")
}

async function deliver(child: Child, agent: Agent, batch: Delivery[]) {
    const { statusCode, body } = await request(`${child.url}/ingest`, {
        ...{ method: "POST", dispatcher: agent, body: encodeBatch(batch) },
        headers: {
            authorization: `Bearer ${child.token}`,
            "content-type": "application/cbor",
        },
    })
    const bytes = Buffer.from(await body.arrayBuffer())
    assert.equal(statusCode, 200)
    return decodeResults(bytes)
}

test("kill -9 while batches go in: what was answered is there afterwards, once", async () => {
    const data = mkdtempSync(join(tmpdir(), "clinic-"))
    const batches: Delivery[][] = []
    const answered = new Set<number>()
    let mote: SealingMote | undefined
    for (const deliveriesBeforeKill of [3, 9, 20]) {
        const child = await startChild(data)
        const [kid, secret] = [child.kid, child.secret].map(hex => Buffer.from(hex, "hex"))
        mote ??= new SealingMote({ kid: kid!, secret: secret! })
        const agent = new Agent({ connect: { ca: readFileSync(join(data, "ca.pem")) } })
        const gone = new Promise(resolve => child.process.once("exit", resolve))
        let isAlive = true
        const lane = async () => {
            while (isAlive) {
                const now = Date.now()
                const batch = Array.from({ length: 5 }, () => {
                    const value = 20 + (mote!.seq % 280)
                    return delivery(mote!.seal([measurement("hr", value, now)], now), now)
                })
                const index = batches.push(batch) - 1
                const results = await deliver(child, agent, batch).catch(() => undefined)
                if (!results) return
                assert.ok(results.every(r => r.status === "stored"))
                answered.add(index)
                if (answered.size % deliveriesBeforeKill === 0) {
                    isAlive = false
                    child.process.kill("SIGKILL")
                }
            }
        }
        await Promise.all([lane(), lane(), lane(), lane()])
        await gone
        await agent.destroy()
    }

    const child = await startChild(data)
    const agent = new Agent({ connect: { ca: readFileSync(join(data, "ca.pem")) } })
    let unanswered = 0
    for (const [index, batch] of batches.entries()) {
        const results = await deliver(child, agent, batch)
        const status = new Set(results.map(r => r.status))
        assert.equal(status.size, 1, "a batch is stored as a whole or not at all")
        if (answered.has(index)) assert.ok(status.has("duplicate"))
        else unanswered++
    }
    assert.ok(answered.size >= 3 && unanswered > 0, "batches were under way at the kill")
    const count = await request(`${child.url}/fhir/Observation?_count=0`, {
        ...{ dispatcher: agent, headers: { authorization: `Bearer ${child.doctor}` } },
    })
    const { total } = (await count.body.json()) as { total: number }
    assert.equal(total, batches.length * 5)
    await agent.destroy()
    const gone = new Promise(resolve => child.process.once("exit", resolve))
    child.process.kill("SIGKILL")
    await gone
    rmSync(data, { recursive: true })
})
