import assert from "node:assert/strict"
import { randomBytes, X509Certificate } from "node:crypto"
import type { AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { connect, createServer } from "node:tls"
import { Router, SqliteStore, startRouter } from "../../router/index.ts"
import { ReloadedCertificate } from "../../router/operation/certificate.ts"
import { watchedClinic, type ClinicContact } from "../../router/operation/watched-clinic.ts"
import { silentLog } from "../../host/log.ts"
import { maxEnvelopeBytes } from "../../wire/envelope.ts"
import { parseExposition, valueOf } from "../support/exposition.ts"
import { ManualClock } from "../support/clock.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { CoapClient } from "./client.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { selfSigned } from "./tls-server.ts"

async function setUp(t: TestContext, more: Partial<Parameters<typeof startRouter>[0]> = {}) {
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    const running = await startRouter({
        ...{ data: temporaryFolder(t), coapPort: 0, clinic, log: silentLog, udp: false },
        ...{ http: { port: 0 }, metrics: { host: "127.0.0.1", port: 0 }, ...more },
    })
    t.after(() => running.close())
    await until(() => running.router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const client = await CoapClient.connect(running.coapPort)
    t.after(() => client.destroy())
    const get = async (path: string, port = running.metricsPort) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`)
        return { status: response.status, text: await response.text() }
    }
    return { mote, clinic, client, running, get }
}

test("metrics of a router: envelopes and refusals by reason, outbox, dead letters, commits, the clinic; no mote's name", async t => {
    const { mote, clinic, client, running, get } = await setUp(t)
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    await until(() => clinic.stored.length === 1, "delivered")
    clinic.answer = batch => batch.map(({ id }) => ({ id, status: "refused", reason: "a test" }))
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    await until(() => running.router.stats().refusedByClinic === 1, "a dead letter")
    clinic.answer = () => {
        throw new Error("down")
    }
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    await client.code("/vitals", Buffer.from("no envelope"))
    await until(async () => /request_duration_seconds_count\{.*failed/.test((await get("/metrics")).text), "it failed")

    const { status, text } = await get("/metrics")
    assert.equal(status, 200)
    const samples = parseExposition(text)
    const value = (name: string, labels?: Record<string, string>) =>
        valueOf(samples, `vitalmote_router_${name}`, labels)
    assert.equal(value("envelopes_total", { outcome: "stored" }), 3)
    assert.equal(value("refused_total", { reason: "malformed" }), 1)
    assert.equal(value("refused_total", { reason: "badMac" }), 0)
    assert.equal(value("outbox_envelopes"), 1)
    assert.ok(value("outbox_bytes") > 0 && value("outbox_bytes") < value("outbox_limit_bytes"))
    assert.equal(value("dead_letters"), 1)
    assert.equal(value("connections"), 1)
    assert.equal(value("store_up"), 1)
    assert.equal(value("commit_duration_seconds_count"), 3)
    assert.ok(value("clinic_request_duration_seconds_count", { operation: "deliver", outcome: "ok" }) >= 2)
    assert.ok(value("clinic_silent_seconds") >= 0)
    assert.ok(Number.isNaN(value("certificate_not_after_timestamp_seconds")))
    assert.ok(value("database_bytes") > 0 && value("disk_free_bytes") > 0)
    assert.ok(!text.includes(mote.eui))
    assert.match((await get("/metrics", running.httpPort)).text, /^vitalmote_router_connections 1$/m)
    assert.equal((await get("/m/" + mote.eui + "/status")).status, 404, "the port of the metrics has nothing else")
})

test("health of a router: ready while it can store; with a full outbox it lives and is not ready", async t => {
    const { mote, clinic, client, get } = await setUp(t, { maxOutboxBytes: maxEnvelopeBytes + 10 })
    for (const path of ["/livez", "/readyz"])
        assert.deepEqual(await get(path), { status: 200, text: '{"status":"ok"}' })
    clinic.answer = () => {
        throw new Error("down")
    }
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    assert.deepEqual(await get("/readyz"), { status: 503, text: '{"status":"the outbox is full"}' })
    assert.equal((await get("/livez")).status, 200)
    clinic.answer = undefined
    await until(async () => (await get("/readyz")).status === 200, "ready when the clinic has taken it")
})

test("health of a router whose store does not work", async () => {
    const clock = new ManualClock()
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic: new MemoryClinic(), log: silentLog })
    assert.equal(router.canStore(), undefined)
    store.setMeta = () => {
        throw new Error("disk I/O error")
    }
    assert.equal(router.canStore(), undefined, "it is asked again after five seconds")
    await clock.advance(5000)
    assert.equal(router.canStore(), "the store does not work")
    await router.close()
})

test("the clinic as it is heard: its clock, and how long it is silent", async () => {
    let now = 1_000_000
    let elapsed = 0
    const contact: ClinicContact = { answeredAt: 0, clockErrorMs: undefined }
    const seen: [string, number, boolean][] = []
    let says: (time: number) => void = () => {}
    const times: number[] = []
    const clinic = Object.assign(new MemoryClinic(), {
        onTime: (listener: (time: number) => void) => (says = listener),
    })
    const link = watchedClinic(clinic, contact, {
        now: () => now,
        elapsed: () => elapsed,
        answered: (...request) => seen.push(request),
    })
    link.onTime!(time => times.push(time))
    says(now - 1500)
    assert.equal(contact.clockErrorMs, 0, "within what whole seconds tell")
    says(now - 60_000)
    assert.equal(contact.clockErrorMs, 60_000)
    assert.deepEqual(times, [now - 1500, now - 60_000])
    elapsed = 5000
    await link.keys()
    assert.equal(contact.answeredAt, 5000)
    now += 1
    elapsed = 9000
    clinic.answer = () => {
        throw new Error("down")
    }
    await assert.rejects(link.deliver([]))
    assert.equal(contact.answeredAt, 5000)
    assert.deepEqual(
        seen.map(([operation, , isGood]) => [operation, isGood]),
        [
            ["keys", true],
            ["deliver", false],
        ],
    )
})

test("a certificate that is replaced is served without a restart, and a broken one is not", async t => {
    const clock = new ManualClock()
    const [first, second] = [await selfSigned(), await selfSigned()]
    let next: () => { cert: string; key: string } = () => first
    const reloaded = new ReloadedCertificate({ current: first, read: () => next(), clock, log: silentLog })
    t.after(() => reloaded.close())
    const server = createServer({ ...first })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    t.after(() => server.close())
    reloaded.serve(server)
    const shown = () =>
        new Promise<string>((resolve, reject) => {
            const { port } = server.address() as AddressInfo
            const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false })
            socket.once("error", reject)
            socket.once("secureConnect", () => {
                resolve(new X509Certificate(socket.getPeerCertificate().raw).fingerprint256)
                socket.destroy()
            })
        })
    const fingerprint = ({ cert }: { cert: string }) => new X509Certificate(cert).fingerprint256
    next = () => {
        throw new Error("half written")
    }
    await clock.advance(5000)
    assert.equal(await shown(), fingerprint(first))
    next = () => second
    await clock.advance(5000)
    assert.equal(await shown(), fingerprint(second))
    assert.equal(reloaded.pem, second.cert)
})
