// CoAP over TLS (RFC 8323 §8.2): the mote against the router, on real sockets.
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setTimeout as wait } from "node:timers/promises"
import { connect as connectTls } from "node:tls"
import { serverCertificate } from "../../host/server-certificate.ts"
import { silentLog } from "../../host/log.ts"
import { socketStream, type ByteStream } from "../../host/stream.ts"
import { startRouter } from "../../router/index.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { upTo } from "./scripted-router.ts"

/** A TLS connection to this machine that trusts one authority, as a board trusts those that it knows. */
const trusting = (ca: string | undefined, port: number) => (): Promise<ByteStream> =>
    new Promise((resolve, reject) => {
        const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca }, () =>
            resolve(socketStream(socket)),
        )
        socket.once("error", reject)
    })

async function certificate(t: TestContext) {
    const folder = temporaryFolder(t)
    const { cert, key } = await serverCertificate(folder, "localhost", Date.now())
    return { folder, cert, key, ca: readFileSync(join(folder, "ca.pem"), "utf8") }
}

const kid = randomBytes(8)
const secret = randomBytes(32)
const keys = deriveKeys(secret, kid)

async function startMote(connect: () => Promise<ByteStream>, router: string) {
    const tried: unknown[] = []
    const program = await runProgram("test/src/uplink.ts", {
        settings: { kid: eui(kid), secret: secret.toString("hex"), router, count: 5 },
        connect: (host, port, tls) => {
            tried.push([host, port, tls])
            return connect()
        },
    })
    /** Sockets are real: after each step of virtual time they have a moment. */
    const pass = async (steps: number, isOver: () => boolean) => {
        for (let i = 0; i < steps && !isOver(); i++) {
            await program.run(0.05)
            await wait(3)
        }
    }
    return { ...program, pass, tried }
}

test("readings reach the router by TLS; a certificate of a stranger ends the connection", async t => {
    const { folder, cert, key, ca } = await certificate(t)
    const clinic = new MemoryClinic({ ...keys, config: 1 })
    const running = await startRouter({
        ...{ data: folder, coapPort: 0, clinic, log: silentLog, udp: false },
        tls: { cert, key, coapsPort: 0 },
    })
    t.after(() => running.close())
    await until(() => running.router.keyring.find(eui(kid)) !== undefined, "the keys have come")

    const stranger = await startMote(trusting(undefined, running.coapsPort!), "coaps+tcp://r.invalid")
    await stranger.pass(300, () => stranger.lines.length > 1)
    assert.equal(stranger.lines.at(-1), "no connection to r.invalid port 5684 over TLS: does this board support it?")
    assert.equal(clinic.stored.length, 0)
    stranger.mote.stop()

    const mote = await startMote(trusting(ca, running.coapsPort!), "coaps+tcp://localhost:5999")
    await mote.pass(400, () => clinic.stored.length === 5)
    const readings = clinic.stored
        .map(hex => parseEnvelope(Buffer.from(hex, "hex")))
        .flatMap(e => decodePack(openEnvelope(e, keys.upEnc), Date.now()))
        .filter(m => m.name === "hr")
        .map(m => Math.round((m.value - 30) * 10))
    assert.deepEqual(readings, upTo(5))
    assert.deepEqual(mote.tried, [["localhost", 5999, true]])
    assert.deepEqual(mote.panics, [])
})

test("a router with a certificate that is none does not start", async t => {
    const clinic = new MemoryClinic()
    const tls = { cert: "none", key: "none", coapsPort: 0 }
    await assert.rejects(startRouter({ data: temporaryFolder(t), coapPort: 0, clinic, log: silentLog, tls }), {
        name: "UserError",
        message: /^TLS certificate or key: /,
    })
})

test("on a board without TLS the mote says so and sends nothing", async () => {
    const { lines, run, panics } = await runProgram("test/src/uplink.ts", {
        settings: {
            kid: eui(kid),
            secret: secret.toString("hex"),
            router: "coaps+tcp://r.invalid",
        },
        hasTls: false,
        connect: () => assert.fail("a connection"),
    })
    await run(30)
    assert.deepEqual(panics, [])
    assert.equal(lines.at(-1), "no connection to r.invalid port 5684 over TLS: does this board support it?")
})
