import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { networkInterfaces } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { finished, run, temporaryFolder } from "../e2e/command.ts"
import { pulseCsv } from "../e2e/pulse.ts"
import { CommandLine } from "../support/command-line.ts"

const kid = "0102030405060708"
const secret = "5e".repeat(32)

const commandLine = new CommandLine()
after(() => commandLine.close())

test("help is printed for the whole and for every command", async () => {
    const { code, stdout } = await finished(["--help"])
    assert.equal(code, 0)
    const commands = ["up", "router", "clinic", "mote", "open", "hr", "bench"]
    for (const command of commands) assert.match(stdout, new RegExp(`^ +${command} `, "m"))
    const helps = await Promise.all(commands.map(command => commandLine.run([command, "--help"])))
    for (const [n, help] of helps.entries()) {
        assert.equal(help.code, 0)
        assert.match(help.stdout, new RegExp(`^Usage: vitalmote ${commands[n]}`))
    }
})

test("wrong usage: exit code 2 and one line that says what is wrong", async () => {
    const cases: [string[], RegExp][] = [
        [["fly"], /unknown command 'fly'/],
        [["up", "--motes", "none"], /whole number from 1 to 100/],
        [["up", "--https-port", "70000"], /whole number from 0 to 65535/],
        [["up", "--colour"], /unknown option '--colour'/],
        [["hr", "--fs", "25"], /missing required argument 'file'/],
        [["hr", "x.csv", "--fs", "0"], /number above 0/],
        [["hr", "x.csv", "--fs", "25", "--acc", "y.csv", "--acc-fs", "-1"], /number above 0/],
        [["hr", "x.csv", "--fs", "25", "--acc", "y.csv", "--acc-unit", "lb"], /g, m\/s2, mg/],
        [["hr", "x.csv", "--fs", "25", "--acc-unit", "mg"], /go with --acc/],
        [["up", "--acc", "y.csv"], /--acc goes with --ppg/],
        [["open", "x", "--secret", "12"], /--secret: 64 hexadecimal digits/],
        [["router"], /required option '--token <token>' not specified/],
        [["mote", "--kid", kid, "--secret", secret, "--router", "coap+tcp://"], /coap\+tcp/],
        [["router", "--clinic", "http://x", "--token", "t"], /https:\/\/ address/],
        [["mote", "--kid", kid, "--secret", secret, "--router", "telnet://x"], /coap\+tcp/],
        [["router", "--token", "t", "--mqtt-broker", "mqtt://u:p@x/y"], /mqtt:\/\/host:port or/],
        [["clinic", "--publish-wards", "North"], /--publish: the address/],
        [["clinic", "--publish", "mqtt://broker", "--publish-wards", "*", "--publish-data", "hr"], /mqtts:\/\/ only/],
        [["router", "--token", "t", "--client-key", "x"], /--client-cert is needed, too/],
        [["router", "--token", "t", "--mqtt-share", "ward"], /--mqtt-broker, too/],
        [["up", "--transport", "udp"], /choices are coap, mqtt/],
        [["bench", "patience"], /no benchmark "patience"/],
        [["mote", "--thermometer", "lm75"], /choices are max30205, tmp117, mlx90614/],
        [["mote", "--fault", "optical"], /such as optical:nack@30-60/],
        [["mote", "--fault", "heart:nack@1-2"], /a chip: optical, thermometer, accelerometer/],
        [["mote", "--fault", "thermometer:led@1-2"], /fault of the thermometer chip: nack, stuck/],
        [["mote", "--fault", "optical:nack@2-1"], /an end after the beginning/],
    ]
    for (const [n, [args, message]] of cases.entries()) {
        // The first as a process of its own.
        const { code, stdout, stderr } = n === 0 ? await finished(args) : await commandLine.run(args)
        assert.equal(code, 2, `${args.join(" ")}: ${stderr}`)
        assert.equal(stdout, "")
        assertClear(stderr, message)
    }
})

test("files that cannot be used: exit code 1 and one line", async t => {
    const data = temporaryFolder(t)
    const file = (name: string, content: string | Uint8Array) => {
        writeFileSync(join(data, name), content)
        return join(data, name)
    }
    const damaged = temporaryFolder(t)
    writeFileSync(join(damaged, "credentials.json"), '{"clinic": 1}')
    const pulse = file("pulse.csv", pulseCsv(72, 25, 10))
    const hr = ["hr", pulse, "--fs", "25"]
    const router = ["router", "--token", "t", "--coap-port", "0", "--mqtt-port", "0"]
    const cases: [string[], RegExp][] = [
        [["hr", join(data, "absent.csv"), "--fs", "25"], /cannot read .*absent.csv: no such file/],
        [["hr", data, "--fs", "25"], /cannot read .*: it is a folder/],
        [["hr", file("words.csv", "heart,rate\n"), "--fs", "25"], /words.csv/],
        [["hr", file("empty.csv", ""), "--fs", "25"], /empty.csv/],
        [[...hr, "--acc", join(data, "absent.csv")], /cannot read .*absent.csv: no such file/],
        [[...hr, "--acc", pulse], /pulse.csv: line 1: three columns of acceleration/],
        [[...hr, "--acc", file("raw.csv", "0,0,16384\n".repeat(250))], /raw.csv: .*--acc-unit/],
        [[...hr, "--acc", file("short.csv", "0,0,1\n".repeat(75))], /3\.0 s of acceleration for 10\.0 s/],
        [["open", file("noise", "noise"), "--secret", secret], /not an envelope/],
        [["up", "--ppg", join(data, "absent.csv@125")], /absent.csv: no such file/],
        [["up", "--data", damaged, "--https-port", "0"], /credentials.json is damaged/],
        [["up", "--data", file("file", "x")], /file/],
        [[...router, "--ca", join(data, "absent.pem"), "--data", data], /absent.pem: no such file/],
    ]
    for (const [args, message] of cases) {
        // What would serve has to end its process, too: the last of each kind is one.
        const isProcess = ["up", "router"].some(name => cases.findLast(([[first]]) => first === name)![0] === args)
        const { code, stdout, stderr } = isProcess ? await finished(args) : await commandLine.run(args)
        assert.equal(code, 1, `${args.join(" ")}: ${stderr}`)
        assert.equal(stdout, "")
        assertClear(stderr, message)
    }
})

test("a port in use: exit code 1 and one line that names the port", async t => {
    const server = createServer().listen(0, "localhost")
    await new Promise(resolve => server.once("listening", resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const data = temporaryFolder(t)
    const clinic = ["clinic", "--data", data, "--https-port", String(port)]
    const router = ["router", "--data", data, "--token", "t", "--coap-port", String(port)]
    for (const args of [clinic, [...router, "--mqtt-port", "0"]]) {
        const { code, stderr } = await finished(args)
        assert.equal(code, 1)
        assertClear(stderr, new RegExp(`${port}.* in use`))
    }
})

test("a secret that is mistyped is not repeated", async () => {
    const mistyped = secret.slice(1)
    for (const env of [{ VITALMOTE_SECRET: mistyped }, undefined]) {
        const args = ["mote", "--kid", kid, ...(env ? [] : ["--secret", mistyped])]
        const { code, stdout, stderr } = await commandLine.run(args, env)
        assert.equal(code, 2)
        assertClear(stderr, /--secret: 64 hexadecimal digits/)
        assert.ok(!(stdout + stderr).includes(mistyped.slice(0, 8)))
    }
})

test("a database that is gone is not quietly made anew where credentials were given out", async t => {
    const data = temporaryFolder(t)
    const clinic = run(t, ["clinic", "--data", data, "--https-port", "0"])
    await clinic.line("ready")
    assert.equal(await clinic.stop(), 0)
    const credentials = readFileSync(join(data, "credentials.json"), "utf8")
    writeFileSync(join(data, "clinic", "clinic.db"), "")
    const { code, stderr } = await finished(["clinic", "--data", data, "--https-port", "0"])
    assert.equal(code, 1)
    assertClear(stderr, /clinic\.db is missing or empty/)
    assert.equal(readFileSync(join(data, "credentials.json"), "utf8"), credentials)
})

test("what must be given can stand in the file of --config", async t => {
    const addresses = Object.values(networkInterfaces()).flat()
    if (!addresses.some(address => address?.address === "::1")) return t.skip("needs IPv6, ::1")
    const data = temporaryFolder(t)
    const config = join(data, "router.json")
    const options = { token: "t", coapPort: 0, mqttPort: 0, data, host: "::1", logLevel: "error" }
    writeFileSync(config, JSON.stringify(options))
    const router = run(t, ["router", "--config", config])
    assert.match(await router.line("ready"), /^ready coap\+tcp:\/\/\[::1\]:\d+ mqtt:\/\/\[::1\]:\d+$/)
    assert.equal(await router.stop(), 0)
})

test("options come from a file and from the environment; flags win", async t => {
    const data = temporaryFolder(t)
    const config = join(data, "clinic.json")
    writeFileSync(config, JSON.stringify({ httpsPort: "nowhere" }))
    const fromFile = await commandLine.run(["clinic", "--config", config, "--data", data])
    assert.equal(fromFile.code, 2)
    assert.match(fromFile.stderr, /whole number from 0 to 65535/)

    writeFileSync(config, JSON.stringify({ colour: "red" }))
    const unknown = await commandLine.run(["clinic", "--config", config, "--data", data])
    assert.equal(unknown.code, 2)
    assertClear(unknown.stderr, /unknown option "colour"/)

    const fromEnvironment = await commandLine.run(["clinic"], { VITALMOTE_HTTPS_PORT: "nowhere" })
    assert.equal(fromEnvironment.code, 2)
    assert.match(fromEnvironment.stderr, /VITALMOTE_HTTPS_PORT/)
})

function assertClear(stderr: string, message: RegExp): void {
    assert.match(stderr, message)
    assert.doesNotMatch(stderr, /^\s+at /m, "no stack trace")
    const said = stderr.split("\n").filter(line => line && !/^(building|starting) /.test(line))
    assert.equal(said.length, 1, stderr)
    assert.match(said[0]!, /^vitalmote: /)
}
