import assert from "node:assert/strict"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { SqliteStore } from "../../router/index.ts"
import { temporaryFolder } from "../e2e/command.ts"
import { TestMote } from "../support/mote.ts"
import { CommandLine } from "../support/command-line.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

test("router dead-letters: listed, exported, dropped, the oldest first", async t => {
    const data = temporaryFolder(t)
    const mote = TestMote.numbered()
    const envelopes = [mote.envelope(), mote.envelope(), mote.envelope()]
    const store = SqliteStore.open(join(data, "router"))
    const receivedAt = Date.UTC(2026, 4, 1)
    await store.append(
        envelopes.map(envelope => ({ kid: mote.keys.kid, purpose: "vitals", receivedAt, envelope })),
        [],
    )
    store.settle(
        [],
        store.next(9, Infinity).map(delivery => ({ delivery, reason: `reason\n${delivery.id}` })),
    )
    const run = (...args: string[]) => commandLine.run(["router", "dead-letters", ...args, "--data", data])
    const busy = await run("list")
    assert.deepEqual([busy.code, busy.stdout], [1, ""])
    assert.match(busy.stderr, /another process uses it\n$/)
    store.close()
    const { stdout } = await run("list")
    assert.equal(stdout.split("\n").length, 4)
    const first = `1  2026-05-01T00:00:00.000Z  mote ${mote.eui}  vitals  ${envelopes[0]!.length} bytes  reason 1`
    assert.equal(stdout.split("\n")[0], first)
    const json = await commandLine.run(["router", "--data", data, "dead-letters", "list", "--json"])
    assert.equal((JSON.parse(json.stdout.split("\n")[2]!) as { reason: string }).reason, "reason\n3")
    const file = join(data, "letters.json")
    assert.equal((await run("export", file)).stdout, `3 exported to ${file}\n`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const exported = readFileSync(file, "utf8").trimEnd().split("\n")
    assert.deepEqual(
        exported.map(line => (JSON.parse(line) as { envelope: string }).envelope),
        envelopes.map(envelope => Buffer.from(envelope).toString("hex")),
    )
    assert.equal((await run("drop")).code, 2)
    assert.equal((await run("drop", "--count", "2")).stdout, "2 dropped, 1 left\n")
    assert.match((await run("list")).stdout, /^3 /)
    assert.equal((await run("drop", "--all")).stdout, "1 dropped, 0 left\n")
    const none = await commandLine.run(["router", "dead-letters", "list", "--data", join(data, "none")])
    assert.deepEqual([none.code, none.stdout], [1, ""])
    assert.match(none.stderr, /no router's store found/)
})
