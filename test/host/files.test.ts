import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileError } from "../../host/errors.ts"
import { makeFolder, readIfThere, writeDurably } from "../../host/files.ts"
import { temporaryFolder } from "../support/folder.ts"

test("a file is replaced as a whole, with the mode asked for, and no draft stays", t => {
    const data = temporaryFolder(t)
    const file = join(data, "file")
    writeFileSync(`${file}.new`, "a longer draft that a crash left", { mode: 0o644 })
    writeDurably(file, "secret", 0o600)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    writeDurably(file, Uint8Array.of(1, 2, 3), 0o644)
    assert.deepEqual([...readFileSync(file)], [1, 2, 3])
    assert.equal(statSync(file).mode & 0o777, 0o644)
    assert.deepEqual(readdirSync(data), ["file"])
})

test("what cannot be written or made is one clear line, and the old file stays", t => {
    const data = temporaryFolder(t)
    const file = join(data, "file")
    writeDurably(file, "old", 0o600)
    mkdirSync(`${file}.new`)
    assert.throws(() => writeDurably(file, "new", 0o600), {
        name: "UserError",
        message: `cannot write ${file}: it is a folder`,
    })
    assert.equal(readFileSync(file, "utf8"), "old")
    assert.throws(() => makeFolder(join(file, "inside")), {
        name: "UserError",
        message: `cannot make the folder ${file}/inside: a file is where a folder should be`,
    })
})

test("a folder that cannot be made: the real reason, where Node says that there is no such file", t => {
    const data = temporaryFolder(t)
    const link = join(data, "link")
    symlinkSync(join(data, "nowhere", "inside"), link)
    for (const path of [link, join(link, "a", "b")])
        assert.throws(() => makeFolder(path), {
            name: "UserError",
            message: `cannot make the folder ${path}: a file is where a folder should be`,
        })
})

test("a folder on a read-only disk: the line says so", t => {
    const disk = temporaryFolder(t)
    const inNamespace = (command: string, ...args: string[]) => {
        const script = `mount -t tmpfs -o ro none "$0" && exec ${command}`
        return spawnSync("unshare", ["-rm", "sh", "-c", script, disk, ...args], {
            encoding: "utf8",
        })
    }
    if (inNamespace("true").status !== 0) return t.skip("needs unshare that may mount: a read-only disk was NOT tried")
    const files = new URL("../../host/files.ts", import.meta.url).href
    const program = `const { makeFolder } = await import(process.argv[1])
        try { makeFolder(process.argv[2]) } catch (error) { console.log(error.message) }`
    for (const path of [join(disk, "a"), join(disk, "a", "b", "c")]) {
        const node = `"$1" --import tsx --input-type=module -e "$2" "$3" "$4"`
        const { stdout } = inNamespace(node, process.execPath, program, files, path)
        assert.equal(stdout, `cannot make the folder ${path}: the disk is read-only\n`)
    }
})

test("an absent file is nothing, an unreadable one is one clear line", t => {
    const data = temporaryFolder(t)
    assert.equal(readIfThere(join(data, "absent")), undefined)
    assert.throws(() => readIfThere(data), {
        name: "UserError",
        message: `cannot read ${data}: it is a folder`,
    })
})

test("a reason is said in words, without code, call and path", () => {
    const error = Object.assign(new Error("EIO: i/o error, read '/a/path'"), { code: "EIO" })
    assert.equal(fileError("FILE", error).message, "cannot read FILE: i/o error")
})
