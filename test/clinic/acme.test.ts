import assert from "node:assert/strict"
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { connect } from "node:tls"
import { startClinic } from "../../clinic/index.ts"
import { AcmeRenewal, isDue } from "../../host/acme.ts"
import type { Log } from "../../host/log.ts"
import { silentLog } from "../../host/log.ts"
import { serverCertificate } from "../../host/server-certificate.ts"
import { freePort } from "../e2e/ports.ts"
import { ManualClock } from "../support/clock.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"

const noPebble =
    spawnSync("pebble", ["-help"]).error !== undefined &&
    "the ACME server pebble is not installed (apt-get install pebble)"
const name = "clinic.example"

/** Debian's pebble, which validates by requests to `httpPort` of 127.0.0.1, whatever the name is. */
async function pebble(t: TestContext, httpPort: number) {
    const folder = temporaryFolder(t)
    await serverCertificate(folder, "localhost", Date.now())
    const [port, dns, management] = [await freePort(), await freePort(), await freePort()]
    const [pem, config] = [join(folder, "server.pem"), join(folder, "pebble.json")]
    const listens = { listenAddress: `127.0.0.1:${port}`, managementListenAddress: `127.0.0.1:${await freePort()}` }
    const pebbleConfig = { ...listens, certificate: pem, privateKey: pem, httpPort, tlsPort: 1, ocspResponderURL: "" }
    writeFileSync(config, JSON.stringify({ pebble: pebbleConfig }))
    // Names are looked up here: all of them are this machine.
    const off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
    run(t, "pebble-challtestsrv", [...off, "-dns01", `127.0.0.1:${dns}`, "-management", `127.0.0.1:${management}`])
    let server: ChildProcess
    const start = () => {
        // A nonce in five is refused, as an authority may (RFC 8555 §6.5).
        const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "20" }
        server = run(t, "pebble", ["-config", config, "-strict", "-dnsserver", `127.0.0.1:${dns}`], env)
    }
    start()
    const ca = readFileSync(join(folder, "ca.pem"), "utf8")
    return { start, stop: () => server.kill("SIGKILL"), ca, directory: `https://localhost:${port}/dir` }
}

function run(t: TestContext, program: string, args: string[], env = process.env): ChildProcess {
    const child = spawn(program, args, { stdio: "ignore", env })
    t.after(() => child.kill("SIGKILL"))
    return child
}

function shownAt(port: number, servername = ""): Promise<X509Certificate> {
    return new Promise((resolve, reject) => {
        const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, servername })
        socket.once("error", reject)
        socket.once("secureConnect", () => {
            resolve(new X509Certificate(socket.getPeerCertificate().raw))
            socket.destroy()
        })
    })
}

test(
    "a certificate by ACME from pebble: obtained, shown, renewed in time; what fails takes nothing away",
    { skip: noPebble },
    async t => {
        const port = await freePort()
        const authority = await pebble(t, port)
        const data = join(temporaryFolder(t), "clinic")
        const clock = new ManualClock(Date.now())
        const messages: string[] = []
        const note = (_: object, message: string) => void messages.push(message)
        const log: Log = { ...silentLog, error: note, info: note }
        const count = (wanted: string) => messages.filter(message => message === wanted).length
        const obtained = () => count("a certificate was obtained by ACME")
        const failed = () => count("no certificate by ACME")
        const { ca, directory } = authority
        // Somebody else has the port at first.
        const busy = createServer()
        await new Promise<void>(resolve => busy.listen(port, resolve))
        const plan = { directory, names: [name], port, ca, email: "it@clinic.example" }
        const running = await startClinic({ data, port: 0, clock, log, acme: plan, names: [name] })
        t.after(() => running.close())
        const shown = (servername?: string) => shownAt(Number(new URL(running.url).port), servername)
        const isOwn = (certificate: X509Certificate) =>
            certificate.verify(new X509Certificate(readFileSync(running.caFile)).publicKey)
        await until(() => failed() === 1, "a first failure")
        assert.ok(isOwn(await shown()), "its own until there is one")
        await new Promise(resolve => busy.close(resolve))
        await clock.advance(61_000)
        await until(() => obtained() === 1, "a certificate")
        await until(async () => {
            await clock.advance(5_000)
            return !isOwn(await shown())
        }, "it is shown")
        assert.ok((await shown()).checkHost(name))
        assert.ok(isOwn(await shown("localhost")), "commands on this machine still have the clinic's own")
        const [file, account] = [join(data, "acme.pem"), join(data, "acme-account.pem")]
        for (const secret of [file, account]) assert.equal(statSync(secret).mode & 0o777, 0o600)
        await running.close()
        const first = readFileSync(file, "utf8")
        const registered = readFileSync(account, "utf8")

        // The clock says that it ends soon, and the authority does not answer.
        authority.stop()
        clock.step(Date.parse(new X509Certificate(first).validTo) - 86_400_000 - clock.now())
        const renewal = new AcmeRenewal({ plan, data, clock, log })
        t.after(() => renewal.stop())
        renewal.start()
        await until(() => failed() === 2, "a failure")
        assert.equal(readFileSync(file, "utf8"), first, "it is kept")
        authority.start()
        await until(async () => {
            await clock.advance(60_000)
            return obtained() === 2
        }, "it tries again")
        assert.notEqual(readFileSync(file, "utf8"), first)
        assert.ok(new X509Certificate(readFileSync(file)).checkHost(name))
        assert.equal(readFileSync(account, "utf8"), registered, "with the same account")
        // By this clock the new one ends soon, too: an authority is not asked again and again.
        for (let n = 0; n < 60; n++) await clock.advance(60_000)
        assert.equal(obtained(), 2)
    },
)

test("a certificate is due in the last third of its time, when a name is missing, and when it is none", async t => {
    const folder = temporaryFolder(t)
    const now = Date.parse("2026-12-01T00:00:00Z")
    const { cert } = await serverCertificate(folder, name, now)
    const [from, to] = [new X509Certificate(cert).validFrom, new X509Certificate(cert).validTo].map(time =>
        Date.parse(time),
    )
    const last = to! - (to! - from!) / 3
    assert.equal(isDue(cert, [name], now), false)
    assert.equal(isDue(cert, [name], last - 1), false)
    assert.equal(isDue(cert, [name], last + 1), true)
    assert.equal(isDue(cert, [name, "other.example"], now), true)
    for (const none of [undefined, "", "rubbish"]) assert.equal(isDue(none, [name], now), true)
})
