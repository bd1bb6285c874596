import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { CommandLine } from "../support/command-line.ts"
import { temporaryFolder } from "../support/folder.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

test("key rotate and --check: a key that a file, a variable or a command gives, and one line for what is wrong with it", async t => {
    const root = temporaryFolder(t)
    const data = join(root, "data")
    const [old, next, wrong] = ["old.key", "next.key", "wrong.key"].map(name => join(root, name))
    mkdirSync(join(data, "clinic"), { recursive: true })
    const key = randomBytes(32)
    writeFileSync(join(data, "clinic", "clinic.key"), key)
    writeFileSync(old!, randomBytes(32))
    writeFileSync(next!, randomBytes(32).toString("base64") + "\n")
    writeFileSync(wrong!, "no key")
    const rotate = (args: string[], env?: Record<string, string>) =>
        commandLine.run(["key", "rotate", "--data", data, ...args], env)
    const refused = async (code: number, message: RegExp, args: string[], env?: Record<string, string>) => {
        const result = await rotate(args, env)
        assert.match(result.stderr, message)
        assert.doesNotMatch(result.stderr.trimEnd(), /\n/)
        assert.equal(result.code, code)
    }
    await refused(2, /a new master key is needed/, [])
    await refused(2, /--new-key-file and VITALMOTE_NEW_KEY both give a master key/, ["--new-key-file", old!], {
        VITALMOTE_NEW_KEY: key.toString("hex"),
    })
    await refused(2, /--new-key-file and --plain/, ["--new-key-file", old!, "--plain"])
    await refused(1, /--new-key-file: a master key is 32 random bytes/, ["--new-key-file", wrong!])
    await refused(1, /--new-key-file: cannot read .*none: no such file/, ["--new-key-file", join(root, "none")])
    await refused(1, /--new-key-command: the command false ended with 1/, ["--new-key-command", "false"])

    const first = await rotate(["--new-key-command", `cat '${old}'`])
    assert.match(first.stdout, /^the clinic's key is under another master key; its master key is [0-9a-f]{16}\n$/)
    const check = (env?: Record<string, string>) =>
        commandLine.run(["clinic", "--check", "--data", data, "--https-port", "0"], env)
    assert.match((await check()).stderr, /clinic.key is under the master key [0-9a-f]{16}: give it by --key-file/)
    assert.match(
        (await check({ VITALMOTE_KEY_FILE: next! })).stderr,
        /--key-file: this master key \([0-9a-f]{16}\) is not the one of .*clinic.key/,
    )
    assert.match(
        (await check({ VITALMOTE_KEY_COMMAND: "false" })).stderr,
        /--key-command: the command false ended with 1/,
    )
    const good = await check({ VITALMOTE_KEY_FILE: old! })
    assert.equal(good.code, 0, good.stderr)

    const second = await rotate(["--key-file", old!, "--new-key-file", next!])
    assert.equal(second.code, 0, second.stderr)
    await refused(1, /is not the one of .*clinic.key/, ["--key-file", old!, "--plain"])
    copyFileSync(join(data, "clinic", "clinic.key"), join(root, "wrapped"))
    const third = await rotate(["--plain"], { VITALMOTE_KEY: readFileSync(next!, "utf8") })
    assert.equal(third.code, 0, third.stderr)
    assert.ok(readFileSync(join(data, "clinic", "clinic.key")).equals(key))
    for (const { stdout, stderr } of [first, second, third])
        assert.doesNotMatch(stdout + stderr, new RegExp(readFileSync(next!, "utf8").trim().replaceAll("+", "\\+")))
})
