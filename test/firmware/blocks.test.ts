// Envelopes larger than the peer's maximum message size are sent in blocks (RFC 7959, RFC 8323 §6).
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setTimeout as wait } from "node:timers/promises"
import { silentLog } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { readBlockOption, blockOption } from "../../router/coap/block.ts"
import { encodeFrame, FrameReader } from "../../router/coap/frame.ts"
import { Code, message, type CoapMessage } from "../../router/coap/message.ts"
import { OptionNumber, uintOption, uintValue } from "../../router/coap/options.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { hostNetwork } from "../../sim/mote/host-network.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { openEnvelope, parseEnvelope, verifyEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { makeReceipt } from "../../wire/receipt.ts"
import { decodePack } from "../../wire/pack.ts"
import { freePort } from "../e2e/ports.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { temporaryFolder } from "../support/folder.ts"
import { upTo } from "./scripted-router.ts"

const maxMessageSizeOption = 2

/** A connection on which the peer's CSM announces `maxBytes` instead of its own value. */
function narrow(stream: ByteStream, maxBytes: number): ByteStream {
    const reader = new FrameReader(65536)
    const options = [uintOption(maxMessageSizeOption, maxBytes)]
    return {
        peer: stream.peer,
        get backlog() {
            return stream.backlog
        },
        write: bytes => stream.write(bytes),
        end: () => stream.end(),
        destroy: () => stream.destroy(),
        listen: receiver =>
            stream.listen({
                data: bytes => {
                    for (const m of reader.push(bytes))
                        receiver.data(encodeFrame(m.code === Code.CSM ? { ...m, options } : m))
                },
                closed: () => receiver.closed(),
            }),
    }
}

/** A mote's identity, and what can be read from its envelopes. */
class Identity {
    readonly kid = randomBytes(8)
    readonly secret = randomBytes(32)
    readonly keys = deriveKeys(this.secret, this.kid)

    settings(count: number, everyMs: number) {
        const secret = this.secret.toString("hex")
        return { kid: eui(this.kid), secret, router: "coap+tcp://router.invalid", count, everyMs }
    }

    readings(envelope: Uint8Array, now: number): number[] {
        const parsed = parseEnvelope(envelope)
        assert.ok(verifyEnvelope(parsed, "vitals", this.keys.upMac))
        return decodePack(openEnvelope(parsed, this.keys.upEnc), now)
            .filter(m => m.name === "hr")
            .map(m => Math.round((m.value - 30) * 10))
    }
}

for (const maxBytes of [39, 64, 120, 200])
    test(`a router that takes ${maxBytes} bytes gets every reading in blocks`, async t => {
        const clock = new VirtualClock()
        const mote = new Identity()
        const clinic = new MemoryClinic({ ...mote.keys, config: 1 })
        const store = SqliteStore.inMemory()
        const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
        t.after(() => store.close())
        let isReachable = false
        const { run, panics } = await runProgram("test/src/uplink.ts", {
            clock,
            settings: mote.settings(40, 500),
            connect: () => {
                if (!isReachable) return Promise.reject(new Error("unreachable"))
                const [near, far] = pipe(clock, 5)
                router.accept(far)
                return Promise.resolve(narrow(near, maxBytes))
            },
        })
        await run(25)
        isReachable = true
        await run(60)
        assert.deepEqual(panics, [])
        const stored = clinic.stored.map(hex => Buffer.from(hex, "hex"))
        assert.deepEqual(
            stored.flatMap(e => mote.readings(e, clock.now())),
            upTo(40),
        )
        assert.ok(
            stored.some(e => e.length > maxBytes - 14),
            "with its head one is too large",
        )
    })

/** A peer that accepts blocks, whose response to each a test can set; it sends a receipt for complete envelopes. */
class BlockPeer {
    readonly clock = new VirtualClock()
    readonly mote = new Identity()
    readonly requests: CoapMessage[] = []
    readonly whole: Buffer[] = []
    maxBytes = 60
    /** A response instead of the usual one. */
    answer: (request: CoapMessage) => Partial<CoapMessage> & { code?: number } = () => ({})
    private body = Buffer.alloc(0)

    readonly connect = (): Promise<ByteStream> => {
        const [near, far] = pipe(this.clock, 5)
        const reader = new FrameReader(8192)
        far.listen({
            data: bytes => {
                for (const m of reader.push(bytes)) if (m.code === Code.POST) far.write(encodeFrame(this.posted(m)))
            },
            closed: () => {},
        })
        const options = [uintOption(maxMessageSizeOption, this.maxBytes)]
        far.write(encodeFrame(message(Code.CSM, { options })))
        return Promise.resolve(near)
    }

    async start(count = 1) {
        return runProgram("test/src/uplink.ts", {
            clock: this.clock,
            connect: this.connect,
            settings: this.mote.settings(count, 1000),
        })
    }

    block(request: CoapMessage) {
        return readBlockOption(request.options, OptionNumber.Block1)
    }

    private posted(request: CoapMessage): CoapMessage {
        assert.ok(encodeFrame(request).length <= this.maxBytes)
        this.requests.push(request)
        const block = this.block(request)
        if (!block || block.num === 0) this.body = Buffer.alloc(0)
        const { code, ...parts } = this.answer(request)
        const { token, payload } = request
        if (code !== undefined) return message(code, { token, ...parts })
        if (block) {
            assert.equal(block.num * 2 ** (block.szx + 4), this.body.length)
            if (block.num === 0) assert.ok(uintValue(request.options, OptionNumber.Size1)! > payload.length)
        }
        this.body = Buffer.concat([this.body, payload])
        const options = block ? [blockOption(OptionNumber.Block1, block)] : []
        if (block?.more) return message(Code.Continue, { token, options, ...parts })
        this.whole.push(this.body)
        const { nonce } = parseEnvelope(this.body)
        const receipt = makeReceipt({ now: this.clock.now(), config: 1 }, nonce, this.mote.keys.receipt)
        return message(Code.Changed, { token, options, payload: receipt })
    }

    get readings(): number[] {
        return this.whole.flatMap(e => this.mote.readings(e, this.clock.now()))
    }
}

test("a peer that asks for smaller blocks gets them from there on", async () => {
    const peer = new BlockPeer()
    peer.answer = request => {
        const block = peer.block(request)!
        const options = [blockOption(OptionNumber.Block1, { ...block, szx: 0 })]
        return block.num === 0 ? { options } : {}
    }
    const { run } = await peer.start()
    await run(8)
    assert.deepEqual(peer.readings, [0])
    const sizes = peer.requests.slice(0, -1).map(r => r.payload.length)
    assert.deepEqual(sizes, [32, ...sizes.slice(1).fill(16)])
})

test("a peer that takes the message but not the envelope in one (4.13) gets it in the blocks it names", async () => {
    const peer = new BlockPeer()
    peer.maxBytes = 1152
    peer.answer = request =>
        peer.block(request)
            ? {}
            : {
                  code: Code.RequestEntityTooLarge,
                  options: [
                      blockOption(OptionNumber.Block1, { num: 0, more: true, szx: 1 }),
                      uintOption(OptionNumber.Size1, 4096),
                  ],
              }
    const { run } = await peer.start(3)
    await run(10)
    assert.deepEqual(peer.readings, [0, 1, 2])
    assert.ok(peer.requests.slice(1).every(r => r.payload.length <= 32 || !peer.block(r)))
})

test("a peer that has lost earlier blocks (4.08) gets all of them again", async () => {
    const peer = new BlockPeer()
    let forgets = 1
    peer.answer = request =>
        peer.block(request)?.num === 2 && forgets-- > 0 ? { code: Code.RequestEntityIncomplete } : {}
    const { run } = await peer.start()
    await run(8)
    assert.deepEqual(peer.readings, [0])
    const numbers = peer.requests.map(r => peer.block(r)!.num)
    assert.deepEqual(numbers.slice(0, 5), [0, 1, 2, 0, 1])
})

test("a peer that always loses blocks, or continues after the end, is retried at growing intervals", async () => {
    for (const code of [Code.RequestEntityIncomplete, Code.Continue]) {
        const peer = new BlockPeer()
        peer.answer = request => (peer.block(request)!.more ? {} : { code })
        const { run, lines, panics } = await peer.start()
        await run(120)
        assert.deepEqual(panics, [])
        assert.ok(peer.requests.length < 80, `${peer.requests.length} requests in two minutes`)
        assert.match(lines.at(-1)!, /^the router refuses: (4\.08|2\.31)$/)
        peer.answer = () => ({})
        await run(300)
        assert.deepEqual(peer.readings, [0])
    }
})

test("a size that a peer never accepts is logged: no envelope (Size1), no block at all", async () => {
    const small = new BlockPeer()
    small.answer = () => ({
        code: Code.RequestEntityTooLarge,
        options: [uintOption(OptionNumber.Size1, 90)],
    })
    const refused = await small.start()
    await refused.run(20)
    assert.equal(refused.lines.at(-1), "the router refuses: 4.13, it takes 90 bytes")

    const absurd = new BlockPeer()
    absurd.maxBytes = 38
    const { run, lines, panics } = await absurd.start()
    await run(120)
    assert.equal(lines.at(-1), "the router refuses: 4.13, it takes 38 bytes")
    assert.equal(absurd.requests.length, 0)
    assert.deepEqual(panics, [])
})

const isThere = spawnSync("which", ["coap-server-openssl"]).status === 0
const skip = isThere ? false : "needs coap-client-openssl and coap-server-openssl (libcoap3-bin)"

async function libcoap(t: TestContext): Promise<number> {
    const port = await freePort()
    const args = ["-A", "127.0.0.1", "-p", `${port}`, "-d", "10"]
    const server = spawn("coap-server-openssl", args, { stdio: "ignore" })
    t.after(async () => {
        server.kill("SIGKILL")
        if (server.exitCode === null && server.signalCode === null) await once(server, "exit")
    })
    return port
}

test("libcoap's server reassembles an envelope", { skip }, async t => {
    const port = await libcoap(t)
    const mote = new Identity()
    const { run, panics, clock } = await runProgram("test/src/uplink.ts", {
        settings: mote.settings(3, 1000),
        connect: async () => narrow(await hostNetwork("127.0.0.1", port, false), 60),
    })
    const file = join(temporaryFolder(t), "vitals")
    const get = () => {
        const url = `coap+tcp://127.0.0.1:${port}/vitals`
        spawnSync("coap-client-openssl", ["-B", "5", "-o", file, url])
        return existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
    }
    // Sockets are real, so each step of virtual time is followed by a moment of real time.
    let found = get()
    for (let i = 0; i < 600 && found.length < 60; i++) {
        await run(0.05)
        await wait(3)
        if (i % 50 === 49) found = get()
    }
    assert.deepEqual(panics, [])
    assert.deepEqual(mote.readings(found, clock.now()), [0])
})
