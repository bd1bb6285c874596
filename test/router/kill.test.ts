import assert from "node:assert/strict"
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { randomInt } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setTimeout as wait } from "node:timers/promises"
import { compiledFile } from "../../host/compiled.mjs"
import { NoResponseError } from "../../router/coap/connection.ts"
import { dotted } from "../../router/coap/message.ts"
import { SqliteStore } from "../../router/index.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { CoapClient } from "./client.ts"
import { TestMote } from "../support/mote.ts"

interface RouterProcess {
    port: number
    process: ChildProcess
    kill(): Promise<void>
}

const program = await compiledFile("test/router/router-process.ts")

/** Starts a router in a process of its own, under the command `wrapper` where given. */
async function startProcess(
    t: TestContext,
    data: string,
    o: { clinic?: "down"; wrapper?: string[] } = {},
): Promise<RouterProcess> {
    const [command, ...args] = [
        ...(o.wrapper ?? []),
        process.execPath,
        ...[program, data],
        ...(o.clinic ? [o.clinic] : []),
    ]
    const child = spawn(command!, args, { stdio: ["ignore", "pipe", "inherit"], detached: true })
    const exited = new Promise<void>(resolve => child.once("exit", () => resolve()))
    const kill = async () => {
        if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL")
        await exited
    }
    t.after(kill)
    const port = await new Promise<number>((resolve, reject) => {
        child.stdout!.once("data", line => resolve(Number(line)))
        child.once("exit", code => reject(new Error(`the router ended with ${code}`)))
    })
    return { port, process: child, kill }
}

/** Posts the mote's envelopes one after the other, until the connection breaks; a broken one comes first next time. */
async function postUntilBroken(
    port: number,
    mote: TestMote,
    unsure: Uint8Array[],
    receipted: Set<string>,
): Promise<void> {
    const client = await CoapClient.connect(port)
    try {
        for (;;) {
            unsure[0] ??= mote.envelope()
            const response = await client.post("/vitals", unsure[0])
            if (dotted(response.code) === "4.01") {
                await wait(5) // the keys have not come yet
                continue
            }
            assert.equal(dotted(response.code), "2.04")
            openReceipt(response.payload, parseEnvelope(unsure[0]).nonce, mote.keys.receipt)
            receipted.add(Buffer.from(unsure[0]).toString("hex"))
            unsure.shift()
        }
    } catch (error) {
        if (!(error instanceof NoResponseError)) throw error
    } finally {
        client.destroy()
    }
}

test("killed at any moment, a router has every envelope that got a receipt, once", async t => {
    const data = temporaryFolder(t)
    const mote = TestMote.numbered()
    const receipted = new Set<string>()
    const unsure: Uint8Array[] = []
    for (let round = 0; round < 4; round++) {
        const router = await startProcess(t, data)
        const before = receipted.size
        const posting = postUntilBroken(router.port, mote, unsure, receipted)
        await until(() => receipted.size > before, "a receipt")
        const lifeMs = randomInt(100)
        t.diagnostic(`killed ${lifeMs} ms after its first receipt`)
        await wait(lifeMs)
        await router.kill()
        await posting
    }
    const store = SqliteStore.open(data)
    t.after(() => store.close())
    const waiting = store.next(100_000, Infinity).map(d => Buffer.from(d.envelope).toString("hex"))
    const file = join(data, "delivered")
    const delivered = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []
    const kept = new Set([...waiting, ...delivered])
    for (const envelope of receipted) assert.ok(kept.has(envelope), "a receipted envelope is lost")
    assert.equal(new Set(waiting).size, waiting.length, "nothing is in the outbox twice")
    assert.ok(receipted.size >= 4)
    t.diagnostic(`${receipted.size} receipted, ${delivered.length} delivered, ${waiting.length} wait`)
})

test("a router that was closed leaves nothing that keeps its process alive", async t => {
    const router = await startProcess(t, temporaryFolder(t), { clinic: "down" })
    const mote = TestMote.numbered()
    const client = await CoapClient.connect(router.port)
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    const exited = once(router.process, "exit")
    router.process.kill("SIGTERM")
    await client.closed
    assert.deepEqual(await exited, [0, null])
})

test("every receipt was preceded by a sync of the disk", async t => {
    if (spawnSync("strace", ["-o", "/dev/null", "true"]).status !== 0) return t.skip("needs strace that may trace")
    const data = temporaryFolder(t)
    const trace = join(data, "trace")
    const wrapper = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", trace]
    const router = await startProcess(t, data, { clinic: "down", wrapper })
    const mote = TestMote.numbered()
    const client = await CoapClient.connect(router.port)
    t.after(() => client.destroy())
    const syncs = () => readFileSync(trace, "utf8").match(/\b(fsync|fdatasync)\(/g)?.length ?? 0
    for (let i = 0; i < 10; i++) {
        const before = syncs()
        assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
        assert.ok(syncs() > before, "no sync between request and receipt")
    }
})
