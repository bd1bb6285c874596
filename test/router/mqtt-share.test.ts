// Several routers share the motes of one broker: Debian's mosquitto, each router in a process of its own.
import assert from "node:assert/strict"
import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setTimeout as wait } from "node:timers/promises"
import { connectAsync } from "mqtt"
import { compiledFile } from "../../host/compiled.mjs"
import { parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { temporaryFolder } from "../support/folder.ts"
import { Mosquitto, needsMosquitto } from "../support/mosquitto.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"

const program = await compiledFile("test/router/router-process.ts")
/** How long a mote waits for a receipt here before it publishes the envelope again. */
const receiptMs = 1000

class RouterProcess {
    readonly data: string
    private readonly url: string
    private child: ChildProcess | undefined

    constructor(t: TestContext, url: string) {
        this.data = temporaryFolder(t)
        this.url = url
        t.after(() => this.stop("SIGKILL"))
    }

    async start(): Promise<void> {
        const child = spawn(process.execPath, [program, this.data, "up", this.url], {
            stdio: ["ignore", "pipe", "inherit"],
        })
        this.child = child
        await once(child.stdout, "data")
    }

    async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
        const { child } = this
        this.child = undefined
        if (!child || child.exitCode !== null) return
        child.kill(signal)
        await once(child, "exit")
    }

    /** What it has delivered to the clinic, in hex. */
    get delivered(): string[] {
        const file = join(this.data, "delivered")
        return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []
    }
}

/** Publishes envelopes one after the other, each until its receipt has come. */
class Mote {
    readonly mote: TestMote
    /** Envelopes with a receipt, in hex. */
    readonly receipted: string[] = []
    readonly stop: () => Promise<void>

    private constructor(mote: TestMote, publish: (envelope: Uint8Array) => Promise<void>, close: () => Promise<void>) {
        this.mote = mote
        let isStopped = false
        const done = (async () => {
            while (!isStopped) {
                const envelope = mote.envelope()
                await publish(envelope)
                this.receipted.push(Buffer.from(envelope).toString("hex"))
                await wait(5)
            }
        })()
        this.stop = async () => {
            isStopped = true
            await done
            await close()
        }
    }

    static async start(n: number, port: number): Promise<Mote> {
        const mote = TestMote.numbered(n)
        const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, clientId: mote.eui })
        let heard: ((receipt: Buffer) => void) | undefined
        client.on("message", (_topic, payload) => heard?.(payload))
        await client.subscribeAsync(`vm/${mote.eui}/receipt`, { qos: 0 })
        const publish = async (envelope: Uint8Array) => {
            let isReceipted = false
            heard = receipt => {
                try {
                    openReceipt(receipt, parseEnvelope(envelope).nonce, mote.keys.receipt)
                    isReceipted = true
                } catch {
                    // That of an earlier envelope, which two routers have.
                }
            }
            while (!isReceipted) {
                await client.publishAsync(`vm/${mote.eui}/vitals`, Buffer.from(envelope), { qos: 1 })
                for (const until = performance.now() + receiptMs; !isReceipted && performance.now() < until;)
                    await wait(2)
            }
        }
        return new Mote(mote, publish, async () => void (await client.endAsync()))
    }
}

test(
    "two routers share a broker's motes; one is killed under load, and nothing that was receipted is lost",
    needsMosquitto,
    async t => {
        const broker = await Mosquitto.start(t)
        const url = `mqtt://127.0.0.1:${broker.port}`
        const routers = [new RouterProcess(t, url), new RouterProcess(t, url)] as const
        const [killed, other] = routers
        await Promise.all(routers.map(router => router.start()))
        const motes = await Promise.all([1, 2, 3, 4].map(n => Mote.start(n, broker.port)))
        const both = () => routers.flatMap(({ delivered }) => delivered)
        await until(() => routers.every(({ delivered }) => delivered.length > 20), "both have a part of the load")
        const shares = both()
        for (const { delivered } of routers) assert.equal(duplicates(delivered), 0)
        assert.ok(duplicates(shares) < shares.length / 4, "an envelope goes to one of them, unless its receipt is late")

        await killed.stop("SIGKILL")
        const before = other.delivered.length
        await until(() => other.delivered.length > before + 40, "the other one has taken over")
        await killed.start()
        const back = killed.delivered.length
        await until(() => killed.delivered.length > back + 20, "the killed one has its part again")
        await Promise.all(motes.map(mote => mote.stop()))
        const receipted = motes.flatMap(mote => mote.receipted)
        await until(() => receipted.every(envelope => both().includes(envelope)), "all that was receipted is delivered")
        assert.equal(duplicates(other.delivered), 0)

        // The killed one may have delivered a batch again, of which it did not know that the clinic has it. The replay
        // window of each knows what it has had: neither delivers an envelope a second time.
        const replays = receipted.slice(0, 10)
        const repeated = routers.map(({ delivered }) => duplicates(delivered))
        const replayer = await connectAsync(url, { clientId: "replayer" })
        for (const [i, envelope] of [...replays, ...replays, ...replays, ...replays].entries()) {
            const mote = motes.find(({ receipted }) => receipted.includes(envelope))!
            await replayer.publishAsync(`vm/${mote.mote.eui}/vitals`, Buffer.from(envelope, "hex"), { qos: 1 })
            if (i % 10 === 9) await wait(10)
        }
        await replayer.endAsync()
        await Promise.all(routers.map(router => router.stop("SIGTERM")))
        assert.deepEqual(
            routers.map(({ delivered }) => duplicates(delivered)),
            repeated,
        )
    },
)

function duplicates(envelopes: string[]): number {
    return envelopes.length - new Set(envelopes).size
}
