import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { fileURLToPath } from "node:url"
import { run, temporaryFolder } from "../e2e/command.ts"
import { CommandLine } from "../support/command-line.ts"
import { until } from "../support/until.ts"

const folder = fileURLToPath(new URL("../../deploy/systemd/", import.meta.url))
const project = fileURLToPath(new URL("../../", import.meta.url))
const read = (name: string) => readFileSync(join(folder, name), "utf8")
const services = ["clinic", "router"] as const

const commandLine = new CommandLine()
after(() => commandLine.close())

const hasAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0
const skip = hasAnalyze ? false : "needs systemd-analyze (Debian: systemd): the units were NOT examined"

test("units: systemd takes them, and what is exposed is below 3", { skip }, () => {
    for (const name of services) {
        const unit = join(folder, `vitalmote-${name}.service`)
        const verify = spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" })
        const complaints = verify.stderr
            .split("\n")
            .filter(line => line.includes("vitalmote") && !/is not executable/.test(line))
        assert.deepEqual(complaints, [])
        const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=yes", "--no-pager", unit], {
            encoding: "utf8",
        })
        const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(stdout) ?? []
        assert.ok(Number(exposure) < 3, `${name}: ${exposure}`)
    }
})

test("units: what they start is there, with files of the names that they read", () => {
    for (const name of services) {
        const unit = read(`vitalmote-${name}.service`)
        const [, program, rest] = /^ExecStart=\/usr\/bin\/node \/opt\/vitalmote\/(\S+) (.*)$/m.exec(unit)!
        assert.ok(existsSync(join(project, program!)))
        assert.equal(rest, `${name} --config /etc/vitalmote/${name}.json`)
        assert.match(unit, new RegExp(`^EnvironmentFile=-/etc/vitalmote/${name}\\.env$`, "m"))
        assert.ok(existsSync(join(folder, `${name}.env`)))
    }
    for (const file of readdirSync(folder)) assert.match(read(file), file.endsWith(".json") ? /^\{/ : /^# /, file)
    assert.match(read("vitalmote.sysusers"), /^u vitalmote - /m)
    assert.match(read("vitalmote.tmpfiles"), /^d \/var\/lib\/vitalmote\/backups 0700 vitalmote vitalmote -$/m)
})

test("the example files are a good configuration, and each variable is one of an option or documented", async t => {
    const root = temporaryFolder(t)
    const here = (text: string) => text.replaceAll("/var/lib/vitalmote", root).replace(/"(\w+Port)": \d+/g, '"$1": 0')
    writeFileSync(join(root, "clinic.json"), here(read("clinic.json")))
    const env = { VITALMOTE_BACKUP_PASSPHRASE: "correct horse battery staple" }
    const clinic = await commandLine.run(["clinic", "--check", "--config", join(root, "clinic.json")], env)
    assert.equal(clinic.code, 0, clinic.stderr)
    writeFileSync(join(root, "router.json"), here(read("router.json")).replace("localhost:8443", "127.0.0.1:1"))
    const router = await commandLine.run(["router", "--check", "--config", join(root, "router.json")], {
        VITALMOTE_TOKEN: "token",
        VITALMOTE_HTTP_PORT: "0",
    })
    // There is no clinic and no certificate yet; everything else is good.
    assert.match(router.stderr, /^vitalmote: cannot read .*ca\.pem: no such file\n$/)
    for (const name of services) {
        const { stdout } = await commandLine.run([name, "--help"])
        const documented = stdout + read("../../docs/alarms.md") + read("../../docs/backup.md")
        for (const [, variable] of read(`${name}.env`).matchAll(/^#?(VITALMOTE_\w+)=/gm))
            assert.ok(documented.includes(variable!), variable)
    }
})

test("Type=notify: systemd is told that the service is ready, that it lives, and that it stops", async t => {
    const root = temporaryFolder(t)
    const heard = join(root, "heard")
    // Takes the place of systemd's program, and writes down what it would tell.
    writeFileSync(join(root, "systemd-notify"), `#!/bin/sh\necho "$1" >> '${heard}'\n`)
    chmodSync(join(root, "systemd-notify"), 0o755)
    const clinic = run(t, ["clinic", "--data", join(root, "data"), "--https-port", "0"], {
        ...{ NOTIFY_SOCKET: join(root, "socket"), WATCHDOG_USEC: "600000" },
        PATH: `${root}:${process.env["PATH"]}`,
    })
    await clinic.line("ready")
    const told = () => (existsSync(heard) ? readFileSync(heard, "utf8").trim().split("\n") : [])
    await until(() => told().filter(line => line === "WATCHDOG=1").length >= 2, "the watchdog is fed")
    assert.equal(told()[0], "READY=1")
    assert.equal(await clinic.stop(), 0)
    await until(() => told().at(-1) === "STOPPING=1", "that it stops")
})
