import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { outputOf, wordsOf } from "../../../clinic/keys/command.ts"
import { parseMasterKey } from "../../../clinic/keys/master-key.ts"
import { UserError } from "../../../host/errors.ts"
import { temporaryFolder } from "../../support/folder.ts"

test("a master key is 32 bytes, as they are, in hexadecimal or in Base64; nothing else is, and nothing is quoted", () => {
    const key = randomBytes(32)
    const forms = [
        key,
        ...[key.toString("hex"), key.toString("base64"), key.toString("base64url"), key.toString("hex").toUpperCase()]
            .flatMap(text => [text, `${text}\n`, ` ${text}\r\n`])
            .map(text => Buffer.from(text)),
    ]
    for (const form of forms) assert.deepEqual(parseMasterKey(form, "x"), parseMasterKey(key, "x"))
    assert.match(parseMasterKey(key, "x").id, /^[0-9a-f]{16}$/)
    assert.notEqual(parseMasterKey(randomBytes(32), "x").id, parseMasterKey(key, "x").id)
    const refused = (bytes: Uint8Array) =>
        assert.throws(
            () => parseMasterKey(bytes, "--key-file"),
            (error: unknown) =>
                error instanceof UserError && /^--key-file: a master key is 32 random/.test(error.message),
        )
    for (const text of ["", "\n", "secret", "correct horse battery staple 12!", key.toString("hex").slice(1)])
        refused(Buffer.from(text))
    refused(Buffer.concat([key, Buffer.from("\n")]))
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
            let found
            try {
                found = parseMasterKey(bytes, "x").bytes.length
            } catch (error) {
                assert.ok(error instanceof UserError)
            }
            assert.ok(found === undefined || found === 32)
        }),
    )
})

test("a command is words: quotes keep blanks, a backslash keeps what follows, and nothing else means anything", () => {
    assert.deepEqual(wordsOf(`aws kms decrypt --query "Plain text" 'a "b" \\' c\\ d ""`), [
        ...["aws", "kms", "decrypt", "--query", "Plain text", 'a "b" \\', "c d", ""],
    ])
    assert.deepEqual(wordsOf("a $B; `c` | d > e"), ["a", "$B;", "`c`", "|", "d", ">", "e"])
    for (const bad of ["", "  ", `a "b`, "a 'b", `""`]) assert.throws(() => wordsOf(bad), UserError)
    const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
    fc.assert(
        fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (first, rest) => {
            assert.deepEqual(wordsOf([first, ...rest].map(quoted).join("  ")), [first, ...rest])
        }),
    )
})

test("a command that gives a key is bounded in time and size, and its failure is one line without what it gave", async t => {
    const script = join(temporaryFolder(t), "key.mjs")
    const node = (code: string, ...args: string[]) => {
        writeFileSync(script, code)
        return [process.execPath, script, ...args].map(word => `'${word}'`).join(" ")
    }
    const failure = async (command: string, limitMs = 60_000) => {
        const error: unknown = await outputOf(command, { limitMs }).catch((e: unknown) => e)
        assert.ok(error instanceof UserError, String(error))
        assert.doesNotMatch(error.message, /\n/)
        return error.message
    }
    process.env.VITALMOTE_KEY = "nobody else needs it"
    t.after(() => delete process.env.VITALMOTE_KEY)
    const said = node(`
        process.stdin.on("data", () => {}).on("end", () =>
            process.stdout.write(JSON.stringify([process.argv.slice(2), process.env.VITALMOTE_KEY ?? null])))`)
    const output = await outputOf(`${said} '$HOME' 'a b'`)
    assert.deepEqual(JSON.parse(output.toString()), [["$HOME", "a b"], null])
    assert.match(await failure("/nowhere/kms decrypt"), /^the command \/nowhere\/kms cannot be run: no such file$/)
    const key = randomBytes(32).toString("hex")
    const complaining = node(`console.log("${key}"); console.error("denied for ${key}\\nmore"); process.exit(3)`)
    assert.match(await failure(complaining), /^the command \S+ ended with 3: denied for …$/)
    const endless = node(`for (;;) await new Promise(done => process.stdout.write("x".repeat(1000), done))`)
    assert.match(await failure(endless), /writes more than 4096 bytes/)
    assert.match(await failure("sleep 600", 50), /^the command sleep did not end within 0.05 s$/)
    // What keeps the pipe open after the command was ended ends, too.
    assert.match(await failure(`sh -c 'sleep 600 & sleep 600'`, 50), /did not end within/)
})
