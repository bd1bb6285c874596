import assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { after, test } from "node:test"
import fc from "fast-check"
import { nearest } from "../../cli/check/nearest.ts"
import { serverCertificate } from "../../host/server-certificate.ts"
import { clientId, LyingProvider } from "../clinic/openid/lying-provider.ts"
import { Service } from "../clinic/service.ts"
import { CommandLine } from "../support/command-line.ts"
import { temporaryFolder } from "../support/folder.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

const lines = (stderr: string) => stderr.trimEnd().split("\n")

test("clinic --check: a folder that is not there yet is good, and nothing is made", async t => {
    const data = join(temporaryFolder(t), "deep", "data")
    const { code, stdout, stderr } = await commandLine.run(["clinic", "--check", "--data", data, "--https-port", "0"])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, "the configuration is good\n")
    assert.ok(!existsSync(data))
})

test("clinic --check: every fault on a line of its own, and exit code 2", async t => {
    const root = temporaryFolder(t)
    const data = join(root, "data")
    mkdirSync(join(data, "clinic"), { recursive: true })
    writeFileSync(join(data, "clinic", "clinic.key"), "short")
    writeFileSync(join(data, "clinic", "ca.pem"), "rubbish")
    writeFileSync(join(data, "credentials.json"), "{")
    writeFileSync(join(root, "file"), "")
    const busy = createServer()
    await new Promise<void>(resolve => busy.listen(0, "127.0.0.1", resolve))
    t.after(() => busy.close())
    const { port } = busy.address() as AddressInfo
    const before = readdirSync(join(data, "clinic"))
    const { code, stderr, stdout } = await commandLine.run([
        ...["clinic", "--check", "--data", data, "--host", "127.0.0.1", "--https-port", String(port)],
        ...[
            "--tls-cert",
            join(root, "none.pem"),
            "--base-url",
            "https://ward.example/?a=b",
            "--trusted-proxies",
            "10.0.0.0/40",
        ],
        ...["--notify", "nonsense", "--backup", join(root, "file")],
    ])
    assert.equal(code, 2, stderr)
    assert.equal(stdout, "")
    const wanted = [
        /ca\.pem is there: restore the database/,
        /clinic\.key is not a key: restore/,
        /ca\.pem is not a certificate: restore/,
        /credentials\.json is damaged: restore/,
        /--https-port: cannot listen on 127\.0\.0\.1 port \d+: the port is in use/,
        /cannot read .*none\.pem: no such file/,
        /base URL "https:\/\/ward\.example\/\?a=b"/,
        /trusted proxy "10\.0\.0\.0\/40" is no address or network/,
        /file is a file where a folder should be/,
        /nonsense|--notify/,
        /--backup: a passphrase is needed/,
    ]
    for (const fault of wanted)
        assert.ok(
            lines(stderr).some(line => fault.test(line)),
            `${fault}:\n${stderr}`,
        )
    assert.equal(lines(stderr).length, wanted.length, stderr)
    assert.deepEqual(readdirSync(join(data, "clinic")), before, "it changes nothing")
})

test("router --check: ports, certificate with its dates, the clinic and the token", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const root = temporaryFolder(t)
    const { cert: old } = await serverCertificate(temporaryFolder(t), "localhost", Date.now() - 800 * 86_400_000)
    writeFileSync(join(root, "old.pem"), old)
    const check = (...more: string[]) =>
        commandLine.run([
            ...["router", "--check", "--data", join(root, "data"), "--coap-port", "0", "--mqtt-port", "0"],
            ...["--http-port", "0", "--clinic", service.running.url, ...more],
        ])
    const ca = ["--ca", service.running.caFile]
    const token = ["--token", service.router]
    const good = await check(...ca, ...token)
    assert.equal(good.code, 0, good.stderr)
    assert.equal(good.stdout, "the configuration is good\n")
    for (const [options, faults] of [
        [token, [/--clinic: no keys from .*; is --ca the authority/]],
        [[...ca, "--token", "wrong"], [/with 401; is --token that of a router's account/]],
        [[...ca, "--token", service.doctor], [/with 403; is --token that of a router's account/]],
        [[...token, "--ca", join(root, "none.pem")], [/cannot read .*none\.pem/]],
        [
            [...ca, ...token, "--tls-cert", join(root, "old.pem"), "--coaps-port", "0", "--mqtts-port", "0"],
            [/old\.pem: it ended .*; ask for a new one, or set the clock/],
        ],
        [
            [...ca, ...token, "--clinic", "https://127.0.0.1:1", "--metrics-port", "0", "--metrics-host", "192.0.2.1"],
            [
                /--metrics-port: cannot listen on 192\.0\.2\.1 port 0: this machine has no such address/,
                /does the clinic run/,
            ],
        ],
    ] as [string[], RegExp[]][]) {
        const { code, stderr } = await check(...options)
        assert.equal(code, 2, stderr)
        assert.equal(lines(stderr).length, faults.length, stderr)
        for (const [n, fault] of faults.entries()) assert.match(lines(stderr)[n]!, fault)
    }
})

test("router --check: several clinics, each with its own faults", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const root = temporaryFolder(t)
    const file = join(root, "clinics.json")
    const north = { url: service.running.url, ca: service.running.caFile, token: service.router }
    const check = (clinics: object, ...more: string[]) => {
        writeFileSync(file, JSON.stringify(clinics), { mode: 0o600 })
        return commandLine.run([
            ...["router", "--check", "--data", join(root, "data"), "--coap-port", "0", "--mqtt-port", "0"],
            ...["--http-port", "0", "--clinics", file, ...more],
        ])
    }
    const good = await check({ north })
    assert.equal(good.code, 0, good.stderr)
    const bad = await check({ north, south: { ...north, token: "wrong" }, west: { ...north, ca: "none.pem" } })
    assert.equal(bad.code, 2)
    const [south, west, ...others] = lines(bad.stderr)
    assert.match(south!, /south: no keys from .* with 401/)
    assert.match(west!, /cannot read .*none\.pem/)
    assert.deepEqual(others, [])
    const both = await check({ north }, "--token", "secret")
    assert.match(both.stderr, /--token <token> is for one clinic: with --clinics it stands in that file/)
    assert.equal(both.code, 2)
})

test("--config: all that is wrong with it at once, with the name that was meant; a list for what is repeatable", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "clinic.json")
    const run = (config: object) => {
        writeFileSync(file, JSON.stringify(config))
        return commandLine.run(["clinic", "--check", "--config", file])
    }
    const bad = await run({ "https-port": 0, datta: folder, httpsPort: 99999, xyzzy: 1, logLevel: "info" })
    assert.equal(bad.code, 2)
    assert.deepEqual(lines(bad.stderr), [
        `vitalmote: ${file}: unknown option "https-port": do you mean "httpsPort"?`,
        `vitalmote: ${file}: unknown option "datta": do you mean "data"?`,
        `vitalmote: ${file}: httpsPort: Expected a whole number from 0 to 65535.`,
        `vitalmote: ${file}: unknown option "xyzzy"`,
    ])
    const more = { trustedProxies: ["10.0.0.1", "nonsense"], name: ["a.example", "b.example"] }
    const listed = await run({ data: join(folder, "data"), httpsPort: 0, ...more })
    assert.equal(listed.code, 2)
    assert.match(listed.stderr, /^vitalmote: trusted proxy "nonsense"/)
})

test("the name that was meant is one of the names, and itself where it is there", () => {
    fc.assert(
        fc.property(fc.string(), fc.array(fc.string({ minLength: 1 })), (word, names) => {
            const found = nearest(word, names)
            assert.ok(found === undefined || names.includes(found))
        }),
    )
    assert.equal(nearest("coap-port", ["coapPort", "coapsPort"]), "coapPort")
    assert.equal(nearest("VITALMOTE", ["data"]), undefined)
})

test("clinic --check asks the sign-in provider, says what to register there, and finds what does not go together", async t => {
    const root = temporaryFolder(t)
    const provider = await LyingProvider.start(t)
    const ca = join(root, "provider.pem")
    writeFileSync(ca, provider.ca)
    const address = ["--host", "localhost", "--https-port", "0", "--base-url", "https://clinic.example/ward"]
    const run = (...more: string[]) =>
        commandLine.run(["clinic", "--check", "--data", join(root, "data"), ...address, ...more])
    const issuer = ["--openid-issuer", provider.issuer, "--openid-client-id", clientId]
    const openid = [...issuer, "--openid-role", "doctor=cn=doctors,ou=ward"]
    const good = await run(...openid, "--openid-ca", ca)
    assert.equal(good.code, 0, good.stderr)
    assert.match(good.stderr, /the redirect URI https:\/\/clinic\.example\/ward\/openid\/callback$/m)
    assert.match(good.stderr, /the post-logout redirect URI https:\/\/clinic\.example\/ward\/$/m)
    for (const [options, said] of [
        [openid, /--openid-issuer https:.*certificate/],
        [issuer, /--openid-role or --openid-link-claim is needed/],
        [issuer.slice(0, 2), /--openid-client-id is needed/],
        [[...issuer, "--openid-role", "cook=cooks"], /Expected one of doctor, nurse, administrator before the =/],
        [[...issuer, "--openid-role", "patient=all"], /Expected one of/],
        [[...openid, "--openid-scope", "profile"], /openid is missing/],
        [[...openid, "--openid-secret-file", join(root, "none")], /none/],
        [["--password-sign-in", "off"], /--openid-issuer is needed/],
        [[...openid, "--password-sign-in", "off"], /--emergency-administrator is needed/],
        [["--emergency-administrator", "root"], /is for --password-sign-in off/],
    ] as const) {
        const { code, stderr } = await run(...options)
        assert.equal(code, 2, options.join(" "))
        assert.match(stderr, said)
        assert.equal(lines(stderr).filter(line => line.startsWith("vitalmote: ")).length, 1, stderr)
    }
})
