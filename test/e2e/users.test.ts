import assert from "node:assert/strict"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { Agent, request } from "undici"
import { temporaryFolder } from "../support/folder.ts"
import { finished, run } from "./command.ts"
import { freePort } from "./ports.ts"

test("an administrator who has only a shell: adds users, gives them links, and needs the clinic to run", async t => {
    const data = temporaryFolder(t)
    const port = await freePort()
    const none = await finished(["users", "list", "--data", data])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /^vitalmote: no clinic runs on .*: start it first, or give --data\n$/)
    const clinic = run(t, ["clinic", "--data", data, "--https-port", String(port)])
    await clinic.line("ready")
    assert.equal(statSync(join(data, "clinic", "local.json")).mode & 0o777, 0o600)
    const added = await finished(["users", "add", "root", "--role", "administrator", "--data", data])
    assert.equal(added.code, 0, added.stderr)
    const [, token] = /^https:\/\/localhost:\d+\/#setup=([\w-]{43})\n$/.exec(added.stdout) ?? []
    assert.ok(token, added.stdout)

    const agent = new Agent({ connect: { ca: readFileSync(join(data, "clinic", "ca.pem")) } })
    t.after(() => agent.close())
    const post = async (path: string, json: object) => {
        const { statusCode, body } = await request(`https://localhost:${port}${path}`, {
            ...{ method: "POST", dispatcher: agent, body: JSON.stringify(json) },
            headers: { "content-type": "application/json" },
        })
        return { status: statusCode, text: await body.text() }
    }
    const password = "correct horse battery"
    assert.equal((await post("/api/setup", { token, password })).status, 204)
    const session = await post("/api/login", { user: "root", password })
    assert.equal(session.status, 200)
    const { permissions } = JSON.parse(session.text) as { permissions: string[] }
    assert.ok(permissions.includes("manage-users") && !permissions.includes("read"), "and sees no patient")

    const list = await finished(["users", "list", "--data", data])
    assert.match(list.stdout, /^root +administrator$/m)
    assert.equal((await finished(["users", "remove", "root", "--data", data])).code, 0)
    const again = await finished(["users", "setup", "root", "--data", data])
    assert.match(again.stderr, /the clinic refuses: user not found/)
    await clinic.kill()
    assert.equal((await finished(["users", "list", "--data", data])).code, 1, "a file that a killed clinic left")
})
