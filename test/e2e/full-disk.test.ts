import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { Agent, request } from "undici"
import { deriveKeys } from "../../wire/keys.ts"
import { TestMote } from "../support/mote.ts"
import { CoapClient } from "../router/client.ts"
import { run, temporaryFolder } from "./command.ts"
import { freePort } from "./ports.ts"

const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0
const skip = canTrace ? false : "needs strace that may trace: the full disk was NOT tried"

/** Runs a command for which every write to these folders fails as it does on a full disk (strace injects ENOSPC). */
function onFullDisk(...folders: string[]): string[] {
    const there = folders.flatMap(folder => readdirSync(folder).map(name => join(folder, name)))
    const paths = there.flatMap(path => ["", ".new", "-wal", "-journal", "-shm"].map(end => path + end))
    const writes = "write,pwrite64,writev,pwritev,ftruncate,fallocate"
    return [
        ...["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${writes}`, "-e", `inject=${writes}:error=ENOSPC`],
        ...[...new Set(paths)].flatMap(path => ["-P", path]),
    ]
}

const contents = (folder: string) =>
    Object.fromEntries(
        readdirSync(folder)
            // A running clinic always has its own, and strace fails writes to files that are there already.
            .filter(name => /\.(pem|key|json|id)$/.test(name) && name !== "local.json")
            .map(name => [name, [statSync(join(folder, name)).mtimeMs, readFileSync(join(folder, name), "hex")]]),
    )

test("clinic and router start on a full disk, say so, and show what they have", { skip }, async t => {
    const data = temporaryFolder(t)
    const [httpsPort, coapPort, mqttPort] = [await freePort(), await freePort(), await freePort()]
    const clinicArgs = ["clinic", "--data", data, "--https-port", String(httpsPort)]
    let clinic = run(t, clinicArgs)
    await clinic.line("ready")
    const credentials = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as {
        doctor: { token: string }
        router: { token: string }
    }
    const ca = readFileSync(join(data, "clinic/ca.pem"))
    const dispatcher = new Agent({ connect: { ca } })
    t.after(() => dispatcher.close())
    const call = async (method: "GET" | "POST", path: string, json?: object) => {
        const response = await request(`https://localhost:${httpsPort}${path}`, {
            ...{ method, dispatcher },
            headers: { authorization: `Bearer ${credentials.doctor.token}`, "content-type": "application/json" },
            ...(json && { body: JSON.stringify(json) }),
        })
        return { status: response.statusCode, json: (await response.body.json()) as Record<string, unknown> }
    }
    const { json: patient } = await call("POST", "/api/patients", { given: "Ada", family: "Beck" })
    const { json: registered } = await call("POST", "/api/motes", { patient: patient.id })
    const [kid, secret] = [registered.kid, registered.secret].map(hex => Buffer.from(String(hex), "hex")) as [
        Buffer,
        Buffer,
    ]
    const mote = new TestMote({ kid, secret })
    assert.deepEqual(mote.keys, deriveKeys(secret, kid))
    const routerArgs = [
        ...["router", "--data", data, "--coap-port", String(coapPort), "--mqtt-port", String(mqttPort), "--no-udp"],
        ...["--clinic", `https://localhost:${httpsPort}`, "--ca", join(data, "clinic/ca.pem")],
    ]
    const env = { VITALMOTE_TOKEN: credentials.router.token }
    let router = run(t, routerArgs, env)
    await router.line("ready")
    const send = async () => {
        const client = await CoapClient.connect(coapPort)
        try {
            return await client.code("/vitals", mote.envelope())
        } finally {
            client.destroy()
        }
    }
    while ((await send()) !== "2.04") await new Promise(resolve => setTimeout(resolve, 100))
    assert.equal(await router.stop(), 0)
    assert.equal(await clinic.stop(), 0)

    const folders = [join(data, "clinic"), join(data, "router")]
    const before = folders.map(contents)
    clinic = run(t, clinicArgs, {}, onFullDisk(data, ...folders, join(data, "router/outbox")))
    await clinic.line("ready")
    for (const path of ["/healthz", "/readyz"])
        assert.deepEqual(await call("GET", path), { status: 503, json: { status: "the disk is full" } })
    assert.equal((await call("GET", "/livez")).status, 200)
    const ward = await call("GET", "/api/ward")
    assert.equal(ward.status, 200)
    assert.deepEqual(ward.json.conditions, [{ code: "store-full" }])
    assert.equal((await call("POST", "/api/patients", { given: "Ken", family: "Ito" })).status, 507)

    const metricsPort = await freePort()
    router = run(
        t,
        [...routerArgs, "--metrics-port", String(metricsPort)],
        env,
        onFullDisk(data, ...folders, join(data, "router/outbox")),
    )
    await router.line("ready")
    const health = async (path: string) => (await fetch(`http://localhost:${metricsPort}${path}`)).status
    assert.deepEqual([await health("/livez"), await health("/readyz")], [200, 503])
    assert.equal(await send(), "5.03", "the mote keeps its readings")
    assert.deepEqual(folders.map(contents), before, "no file was written")
})
