import assert from "node:assert/strict"
import { join } from "node:path"
import { after, test } from "node:test"
import { consumerAccounts, pageUsers } from "../../router/index.ts"
import { temporaryFolder } from "../e2e/command.ts"
import { CommandLine } from "../support/command-line.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

test("router users: added, listed, given a link, removed", async t => {
    const data = temporaryFolder(t)
    const run = (...args: string[]) => commandLine.run(["router", "users", ...args, "--data", data])
    const added = await run("add", "tech", "--may", "change")
    assert.equal(added.code, 0, added.stderr)
    const [, token] = /^#setup=(tech\.[\w-]{43})\n$/.exec(added.stdout)!
    assert.match(added.stderr, /^for tech, once, until \d{4}-/)
    assert.match((await run("list")).stdout, /tech +change +no password yet/)
    assert.equal((await run("add", "tech")).code, 1)
    assert.equal((await run("add", "../tech")).code, 2)
    const users = pageUsers(join(data, "router"))
    assert.ok(await users.useSetupLink(token!, "correct horse battery"))
    assert.doesNotMatch((await run("list")).stdout, /no password/)
    assert.match((await run("setup", "tech")).stdout, /^#setup=tech\./)
    assert.equal((await run("setup", "nobody")).code, 1)
    assert.equal((await run("remove", "tech")).code, 0)
    assert.equal((await run("remove", "tech")).code, 1)
})

test("router consumers: added with a password that is shown once, listed, removed", async t => {
    const data = temporaryFolder(t)
    const run = (...args: string[]) => commandLine.run(["router", "consumers", ...args, "--data", data])
    const added = await run("add", "wall", "--envelopes", "--motes", "70b3*, 0000000000000001")
    assert.equal(added.code, 0, added.stderr)
    const [, password] = /^([\w-]{43})\n$/.exec(added.stdout)!
    assert.match((await run("list")).stdout, /wall +states and envelopes +70b3\*,0000000000000001/)
    assert.equal(consumerAccounts(join(data, "router")).verified("wall", Buffer.from(password!))?.envelopes, true)
    assert.equal((await run("add", "wall")).code, 1)
    assert.equal((await run("add", "0000000000000001")).code, 2)
    assert.equal((await run("remove", "wall")).code, 0)
    assert.equal((await run("remove", "wall")).code, 1)
})

test("HTTP without login is for this machine only", async () => {
    const refused = await commandLine.run(["router", "--token", "t", "--http-host", "0.0.0.0"])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /--page-host/)
})
