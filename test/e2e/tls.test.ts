// TLS as an operator sets it up: certificate files, the command line, motes that trust the authority and one that does not.
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import type { Credentials } from "../../cli/credentials.ts"
import { serverCertificate } from "../../host/server-certificate.ts"
import { until } from "../support/until.ts"
import { apiClient } from "./api.ts"
import { finished, run, temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"

/** What takes seconds alone takes minutes beside a whole test suite. */
const slowMs = 120_000

test("router --tls-cert: motes report by coaps+tcp and mqtts; not where they do not trust the certificate", async t => {
    const data = temporaryFolder(t)
    const clinic = run(t, ["clinic", "--data", data, "--https-port", "0"])
    await clinic.line("ready")
    const credentials = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const api = apiClient(t, credentials)

    const folder = temporaryFolder(t)
    const { cert, key } = await serverCertificate(folder, "localhost", Date.now())
    const files = { cert: join(folder, "chain.pem"), key: join(folder, "key.pem") }
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
    const [coapsPort, mqttsPort] = [await freePort(), await freePort()]
    const router = run(
        t,
        [
            ...["router", "--data", data, "--clinic", credentials.clinic, "--ca", credentials.ca],
            ...["--coap-port", "0", "--mqtt-port", "0", "--http-port", "0", "--no-udp"],
            ...["--tls-cert", files.cert, "--tls-key", files.key],
            ...["--coaps-port", String(coapsPort), "--mqtts-port", String(mqttsPort)],
        ],
        { VITALMOTE_TOKEN: credentials.router.token },
    )
    const ready = await router.line("ready")
    const urls = [`coaps+tcp://localhost:${coapsPort}`, `mqtts://localhost:${mqttsPort}`]
    for (const url of urls) assert.ok(ready.split(" ").includes(url), ready)

    const trust = { NODE_EXTRA_CA_CERTS: join(folder, "ca.pem") }
    let patients = 0
    const startMote = async (url: string, env: Record<string, string>) => {
        const { id } = await api<{ id: number }>("POST", "/api/patients", { given: "Ada", family: `L${++patients}` })
        const { kid, secret } = await api<{ kid: string; secret: string }>("POST", "/api/motes", {
            patient: id,
        })
        const args = ["mote", "--data", data, "--kid", kid, "--router", url]
        return { kid, mote: run(t, args, { VITALMOTE_SECRET: secret, ...env }) }
    }
    const motes = []
    for (const url of urls) motes.push((await startMote(url, trust)).kid)
    const stored = async (kid: string) =>
        (await api<{ kid: string; stored: number }[]>("GET", "/api/motes")).find(view => view.kid === kid)!.stored
    for (const kid of motes) await until(async () => (await stored(kid)) > 0, `readings of ${kid}`, slowMs)

    const stranger = await startMote(urls[0]!, {})
    await until(() => stranger.mote.stderr.includes("over TLS"), "a line that says why", slowMs)
    assert.match(stranger.mote.stderr, /no connection to localhost port \d+ over TLS/)
    assert.equal(await stored(stranger.kid), 0)
    assert.equal(await router.stop(), 0)
})

test("router --tls-cert: files that are no use end it with one line", async t => {
    const data = temporaryFolder(t)
    const file = join(data, "rubbish.pem")
    writeFileSync(file, "no certificate")
    const start = (cert: string) =>
        finished(["router", "--data", data, "--coap-port", "0", "--tls-cert", cert], {
            VITALMOTE_TOKEN: "t".repeat(43),
        })
    for (const [cert, why] of [
        [file, /rubbish\.pem is not a certificate in PEM/],
        [join(data, "nowhere.pem"), /nowhere\.pem/],
    ] as const) {
        const { code, stderr } = await start(cert)
        assert.equal(code, 1, stderr)
        assert.match(stderr.trim().split("\n").at(-1)!, why)
    }
})

test("clinic --tls-cert: commands on the same machine reach it all the same, and --check leaves out what it uses", async t => {
    const [data, hospital] = [temporaryFolder(t), temporaryFolder(t)]
    const { cert } = await serverCertificate(hospital, "ward.example", Date.now())
    writeFileSync(join(hospital, "pair.pem"), cert)
    const port = await freePort()
    const options = ["--data", data, "--host", "127.0.0.1", "--https-port", String(port)]
    const args = ["clinic", ...options, "--tls-cert", join(hospital, "pair.pem")]
    const clinic = run(t, args)
    await clinic.line("ready")
    const alarms = await finished(["alarms", "statistics", "--data", data])
    assert.equal(alarms.code, 0, alarms.stderr)
    const users = await finished(["users", "list", "--data", data])
    assert.equal(users.code, 0, users.stderr)
    const check = await finished([...args, "--check"])
    assert.equal(check.code, 0, check.stderr)
    assert.match(check.stderr, /a clinic runs on this data folder: its port and database were not checked/)
    assert.equal(await clinic.stop(), 0)
})
