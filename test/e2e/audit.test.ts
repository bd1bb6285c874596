import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import Database from "libsql"
import { Agent, request } from "undici"
import { temporaryFolder } from "../support/folder.ts"
import { finished, run } from "./command.ts"
import { freePort } from "./ports.ts"

test("vitalmote audit: verifies and searches while the clinic runs, and finds what was done to the file", async t => {
    const data = temporaryFolder(t)
    const port = await freePort()
    const args = ["--data", data]
    const start = async () => {
        const clinic = run(t, ["clinic", ...args, "--https-port", String(port)])
        await clinic.line("ready")
        return clinic
    }
    const clinic = await start()
    const { doctor } = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as {
        doctor: { token: string }
    }
    const agent = new Agent({ connect: { ca: readFileSync(join(data, "clinic", "ca.pem")) } })
    t.after(() => agent.destroy())
    const call = async (method: "GET" | "POST", path: string, json?: object) => {
        const { body } = await request(`https://localhost:${port}${path}`, {
            ...{ method, dispatcher: agent, ...(json && { body: JSON.stringify(json) }) },
            headers: { authorization: `Bearer ${doctor.token}`, ...(json && { "content-type": "application/json" }) },
        })
        await body.dump()
    }
    for (const family of ["Beck", "Ito", "New"]) await call("POST", "/api/patients", { given: "A", family })
    await call("GET", "/api/patients/2")
    await call("GET", "/api/patients/4711")

    const whole = await finished(["audit", "verify", ...args])
    assert.equal(whole.code, 0, whole.stderr)
    const [, count, head] = /^the audit record is whole: (\d+) events\n(\d+:[0-9a-f]{64})\n$/.exec(whole.stdout) ?? []
    assert.ok(Number(count) >= 6 && head!.startsWith(`${count}:`), whole.stdout)
    assert.ok(clinic.stderr.includes('"head":"'), "its end is in the log")

    const found = await finished(["audit", "search", "--patient", "2", "--user", "doctor", "--from", "2020", ...args])
    assert.equal(found.code, 0, found.stderr)
    const lines = found.stdout.trim().split("\n")
    assert.equal(lines.length, 3, found.stdout)
    assert.match(
        lines[1]!,
        /doctor +doctor +look patient +done +2 +(127\.0\.0\.1|::1) token \d+ +GET \/api\/patients\/2$/,
    )
    assert.match(lines[2]!, /add patient +done +2 .*POST \/api\/patients$/)
    const none = await finished(["audit", "search", "--to", "2020", ...args])
    assert.equal(none.stdout.trim().split("\n").length, 1)
    const refused = await finished(["audit", "search", "--patient", "4711", "--limit", "1", ...args])
    assert.match(refused.stdout, /refused not-found/)
    const wrong = await finished(["audit", "verify", "--anchor", "5:zz", ...args])
    assert.equal(wrong.code, 2, wrong.stderr)

    assert.equal(await clinic.stop(), 0)
    const file = join(data, "clinic", "clinic.db")
    const sound = readFileSync(file)
    const tampered = async (sql: string) => {
        writeFileSync(file, sound)
        const db = new Database(file)
        db.exec(`DROP TRIGGER audit_kept; DROP TRIGGER audit_unchanged; PRAGMA foreign_keys = OFF; ${sql}`)
        db.exec("PRAGMA journal_mode = DELETE")
        db.close()
        const { code, stderr } = await finished(["audit", "verify", ...args])
        assert.equal(code, 1, sql)
        return stderr
    }
    const stopped = await finished(["audit", "verify", "--anchor", head!, ...args])
    assert.equal(stopped.code, 0, stopped.stderr)
    const not = "vitalmote: the audit record is not whole: event"
    assert.equal(await tampered("UPDATE audit SET user = 'x' WHERE id = 3"), `${not} 3 was changed\n`)
    assert.equal(await tampered("DELETE FROM audit WHERE id = 2"), `${not} 2 is missing\n`)
    const swap = "UPDATE audit SET id = 99 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4"
    assert.equal(await tampered(`${swap}; UPDATE audit SET id = 4 WHERE id = 99`), `${not} 3 was changed\n`)
    assert.match(
        await tampered("DELETE FROM audit WHERE id > 4"),
        new RegExp(`^${not} 5 is missing; there were \\d+\n$`),
    )

    // As if there had never been any: the file beside the database knows better, also after the clinic has gone on.
    assert.match(
        await tampered("DELETE FROM audit; DELETE FROM audit_head; DELETE FROM audit_patient"),
        /event 1 is missing/,
    )
    const again = await start()
    const running = await finished(["audit", "verify", ...args])
    assert.equal(running.code, 1)
    assert.match(running.stderr, /event 1 found the record changed: .*"expected":"\d+:/)
    assert.equal(await again.stop(), 0)
})
