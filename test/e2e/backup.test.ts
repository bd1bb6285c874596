import assert from "node:assert/strict"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { Agent, request } from "undici"
import type { Credentials } from "../../cli/credentials.ts"
import { migrations } from "../../clinic/store/sqlite/migrations.ts"
import { decodeResults, encodeBatch, type Delivery } from "../../wire/batch.ts"
import { measurement } from "../clinic/support.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { apiClient } from "./api.ts"
import { finished, run, type Running } from "./command.ts"
import { freePort } from "./ports.ts"

const env = { VITALMOTE_BACKUP_PASSPHRASE: "correct horse battery" }
const vitalmote = (...args: string[]) => finished(args, env)

async function startClinic(t: TestContext, data: string) {
    const clinic = run(t, ["clinic", "--data", data, "--https-port", String(await freePort())])
    await clinic.line("ready")
    const credentials = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const agent = new Agent({ connect: { ca: readFileSync(credentials.ca) } })
    t.after(() => agent.close())
    /** Delivers as a router; resolves to what the clinic says of each. */
    const deliver = async (batch: Delivery[]) => {
        const answer = await request(`${credentials.clinic}/ingest`, {
            ...{ method: "POST", dispatcher: agent, body: encodeBatch(batch) },
            headers: { authorization: `Bearer ${credentials.router.token}`, "content-type": "application/cbor" },
        })
        const bytes = Buffer.from(await answer.body.arrayBuffer())
        if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`)
        return decodeResults(bytes).map(({ status }) => status)
    }
    return { clinic, credentials, api: apiClient(t, credentials), deliver }
}

const batchOf = (mote: TestMote, id: number, more: Parameters<typeof measurement>[] = []): Delivery[] => {
    const now = Date.now()
    const pack = [["hr", 60 + (id % 40), now] as const, ...more].map(([name, value, time]) =>
        measurement(name, value, time),
    )
    return [{ id, purpose: "vitals", receivedAt: now, envelope: mote.seal(pack, now) }]
}

test("backup of a clinic under load, restored elsewhere: all that was answered before is there, and everything goes on", async t => {
    const folder = temporaryFolder(t)
    const [data, other, file] = [join(folder, "ward"), join(folder, "other"), join(folder, "ward.age")]
    const { clinic, api, deliver } = await startClinic(t, data)
    const { id } = await api<{ id: number }>("POST", "/api/patients", { given: "Kim", family: "Case" })
    const { kid, secret } = await api<{ kid: string; secret: string }>("POST", "/api/motes", { patient: id })
    const mote = new TestMote({ kid: Buffer.from(kid, "hex"), secret: Buffer.from(secret, "hex") })
    const configured = await api<{ version: number }>("PUT", `/api/motes/${kid}/config`, { settings: { report: 30 } })

    const answered: Delivery[] = []
    let isOver = false
    const load = (async () => {
        for (let n = 0; !isOver; n++) {
            const batch = batchOf(mote, n)
            assert.deepEqual(await deliver(batch), ["stored"])
            answered.push(...batch)
        }
    })()
    await until(() => answered.length > 50, "a load")
    const before = answered.length
    const made = await vitalmote("backup", file, "--data", data)
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /^\S+ward\.age: 2 users, 1 patients, 1 motes; checked\n$/)
    const during = answered.length - before
    assert.ok(during > 20, `${during} were answered while the backup was made`)
    isOver = true
    await load
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder).sort(), ["ward", "ward.age"])
    assert.equal(existsSync(join(data, "clinic", "backup-trial")), false)
    assert.equal(readFileSync(file).includes("Case"), false)

    // Later than the backup: a configuration that the mote applies, a patient, and then the clinic is lost.
    const later = await api<{ version: number }>("PUT", `/api/motes/${kid}/config`, { settings: { report: 60 } })
    const lost = await api<{ id: number }>("POST", "/api/patients", { given: "New", family: "Comer" })
    await clinic.kill()

    const restored = await vitalmote("restore", file, "--data", other)
    assert.equal(restored.code, 0, restored.stderr)
    const audit = await vitalmote("audit", "verify", "--data", other)
    assert.match(audit.stdout, /^the audit record is whole: \d+ events\n/, audit.stderr)
    assert.match(
        restored.stdout,
        /^\S+other: 2 users, 1 patients, 1 motes\nmade \S+, readings until \S+: what came later/,
    )
    const again = await startClinic(t, other)
    for (const [n, one] of answered.slice(0, before).entries())
        assert.deepEqual(await again.deliver([one]), ["duplicate"], `the ${n}th was answered before the backup`)
    // The mote has a configuration of which the clinic knows nothing any more.
    assert.deepEqual(await again.deliver(batchOf(mote, 1, [["config", later.version, Date.now()]])), ["stored"])
    const next = await again.api<{ version: number }>("PUT", `/api/motes/${kid}/config`, { settings: { report: 20 } })
    assert.ok(next.version > later.version && later.version > configured.version, "the mote accepts it")
    const command = await again.api<{ version: number }>("POST", `/api/motes/${kid}/commands`, { command: "identify" })
    assert.ok(command.version > 1000)
    const patient = await again.api<{ id: number }>("POST", "/api/patients", { given: "New", family: "Comer" })
    assert.notEqual(patient.id, lost.id, "no id is given out twice")
    assert.equal(await again.clinic.stop(), 0)

    const same = await vitalmote("backup", join(folder, "again.age"), "--data", other)
    assert.equal(same.code, 0, "a clinic that does not run, too")
})

test("backup and restore: one clear line for each thing that can be wrong, and nothing is overwritten", async t => {
    const folder = temporaryFolder(t)
    const [data, file] = [join(folder, "ward"), join(folder, "ward.age")]
    const { clinic, api } = await startClinic(t, data)
    await api("POST", "/api/patients", { given: "Kim", family: "Case" })
    const refused = async (args: string[], message: RegExp, environment: Record<string, string> = env, code = 1) => {
        const result = await finished(args, environment)
        assert.equal(result.code, code, result.stdout)
        assert.match(result.stderr, message)
        assert.doesNotMatch(result.stderr.trim(), /\n/)
    }
    await refused(["backup", file, "--data", data], /a passphrase is needed/, {}, 2)
    await refused(["backup", file, "--data", data], /too short/, { VITALMOTE_BACKUP_PASSPHRASE: "short" })
    await refused(["backup", file, "--data", join(folder, "none")], /there is no clinic in/)
    await refused(["backup", join(folder, "none", "x.age"), "--data", data], /no backup was made: .*no such file/)
    assert.equal((await vitalmote("backup", file, "--data", data)).code, 0)
    const bytes = readFileSync(file)
    await refused(["backup", file, "--data", data], /is there already: choose another name/)
    assert.ok(readFileSync(file).equals(bytes))
    await refused(["restore", file, "--data", data], /there is a clinic in .* already/)
    await clinic.stop()

    const target = join(folder, "target")
    await refused(["restore", file, "--data", target], /the passphrase is wrong/, {
        VITALMOTE_BACKUP_PASSPHRASE: "another horse",
    })
    await refused(["restore", join(folder, "none.age"), "--data", target], /cannot read .*no such file/)
    writeFileSync(join(folder, "half.age"), bytes.subarray(0, bytes.length / 2))
    await refused(
        ["restore", join(folder, "half.age"), "--data", target],
        /nothing was restored: .*damaged or incomplete/,
    )
    writeFileSync(join(folder, "other.age"), "not a backup")
    await refused(["restore", join(folder, "other.age"), "--data", target], /it is no backup that was encrypted/)
    assert.deepEqual(readdirSync(target), [], "nothing is left")

    // Somebody else's credentials are not overwritten, the rest of the folder stays.
    mkdirSync(join(target, "router"))
    writeFileSync(join(target, "credentials.json"), "{}")
    await refused(["restore", file, "--data", target], /credentials.json is there already, and another one/)
    assert.equal(readFileSync(join(target, "credentials.json"), "utf8"), "{}")
    rmSync(join(target, "credentials.json"))
    assert.equal((await vitalmote("restore", file, "--data", target)).code, 0)
    assert.deepEqual(readdirSync(target).sort(), ["clinic", "credentials.json", "router"])

    // A folder that is not whole is no new clinic.
    const harmed = async (name: string, message: RegExp) => {
        const copy = join(folder, "copy")
        cpSync(target, copy, { recursive: true })
        rmSync(join(copy, name))
        await refused(["clinic", "--data", copy, "--https-port", "0"], message)
        await refused(["backup", join(folder, "copy.age"), "--data", copy], /no backup was made/)
        rmSync(copy, { recursive: true })
    }
    await harmed("clinic/clinic.key", /clinic.key is missing, and without it the database is of no use: restore it/)
    await harmed("clinic/clinic.db", /clinic.db is missing or empty: restore it/)
})

test("a backup of a database that a newer version wrote, and credentials without their accounts, are refused", async t => {
    const { openSqlite, closeSqlite } = await import("../../host/sqlite.ts")
    const { databaseFormat } = await import("../../clinic/store/sqlite/open.ts")
    const folder = temporaryFolder(t)
    const data = join(folder, "ward")
    const { clinic } = await startClinic(t, data)
    await clinic.stop()
    const database = join(data, "clinic", "clinic.db")
    const kept = readFileSync(database)
    closeSqlite(
        openSqlite(database, {
            ...databaseFormat,
            migrations: [...migrations, "CREATE TABLE later (a INTEGER) STRICT;"],
        }),
    )
    const newer = await vitalmote("backup", join(folder, "newer.age"), "--data", data)
    assert.match(newer.stderr, /a newer version of VitalMote wrote it/)
    writeFileSync(database, kept)
    const emptied = openSqlite(database, databaseFormat)
    emptied.exec("DELETE FROM token; DELETE FROM session; DELETE FROM account;")
    closeSqlite(emptied)
    const refused = await vitalmote("clinic", "--data", data, "--https-port", "0")
    assert.match(refused.stderr, /clinic.db has no users, but .*credentials.json is there/)
})

test("kill -9 in the middle of backup and restore: either the old or the new, and the next one says so", async t => {
    const folder = temporaryFolder(t)
    const [data, file, target] = [join(folder, "ward"), join(folder, "ward.age"), join(folder, "target")]
    const { clinic } = await startClinic(t, data)
    const killedAt = async (path: string, victim: (at: Running) => Promise<void>, args: string[]) => {
        const working = run(t, args, env)
        await until(() => existsSync(path), path)
        await victim(working)
        return { code: await working.exit, stderr: working.stderr }
    }
    const backup = ["backup", file, "--data", data]
    const trial = join(data, "clinic", "backup-trial")
    for (const path of [trial, `${file}.new`]) {
        await killedAt(path, at => at.kill(), backup)
        assert.equal(existsSync(file), false, "what has its name is whole")
        assert.equal(existsSync(path), true)
    }
    // The last one that was killed still holds the database, for 20 s.
    await until(async () => {
        const { code, stderr } = await vitalmote(...backup)
        if (code !== 0) assert.match(stderr, /another backup is being made/)
        return code === 0
    }, "a backup after two that were killed")
    assert.deepEqual(readdirSync(folder).sort(), ["ward", "ward.age"])
    assert.equal(existsSync(trial), false)

    const second = join(folder, "second.age")
    const orphan = await killedAt(`${second}.new`, () => clinic.kill(), ["backup", second, "--data", data])
    assert.equal(orphan.code, 1)
    assert.match(orphan.stderr, /no backup was made: the clinic was stopped meanwhile/)
    assert.deepEqual(readdirSync(folder).sort(), ["ward", "ward.age"])

    const draft = join(target, "clinic.restoring")
    await killedAt(draft, at => at.kill(), ["restore", file, "--data", target])
    assert.equal(existsSync(join(target, "clinic")), false)
    const restarted = await vitalmote("restore", file, "--data", target)
    assert.match(
        restarted.stderr,
        /another restore into .* is at work or was interrupted: if none is, remove .*restoring/,
    )
    const started = await vitalmote("clinic", "--data", target, "--https-port", "0")
    assert.match(started.stderr, /a restore into .* was interrupted, or is at work: remove/)
    rmSync(draft, { recursive: true })
    assert.equal((await vitalmote("restore", file, "--data", target)).code, 0)
})
