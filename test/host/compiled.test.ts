import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { test, type TestContext } from "node:test"
import { pathToFileURL } from "node:url"
import { projectDir } from "../../devicescript/build.ts"
import { compiled } from "../../host/compiled.mjs"

/** A program of two files below the project, and where it is compiled to. */
function program(t: TestContext) {
    mkdirSync(join(projectDir, ".build"), { recursive: true })
    const folder = mkdtempSync(join(projectDir, ".build/program-"))
    const name = relative(join(projectDir, ".build"), join(folder, "out"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
    write("part.ts", `export const part: string = import${".meta"}.filename`)
    write("main.ts", 'import { part } from "./part.ts"\nexport const told = part')
    const entry = relative(projectDir, join(folder, "main.ts"))
    const build = () => compiled(name, [entry])
    const run = async () => {
        const built = join(await build(), entry.replace(/ts$/, "js"))
        return ((await import(pathToFileURL(built).href)) as { told: string }).told
    }
    return { folder, write, build, run }
}

test("what is compiled stays until a source changes, and says where its source is", async t => {
    const { folder, write, build, run } = program(t)
    assert.equal(await run(), join(folder, "part.ts"))
    const first = await build()
    assert.equal(await build(), first)
    write("part.ts", 'export const part: string = "another text"')
    assert.notEqual(await build(), first)
    assert.equal(await run(), "another text")
    assert.ok(existsSync(first), "a process that runs from it may load more of it")
    for (let n = 0; n < 8; n++) {
        write("part.ts", `export const part = "${"x".repeat(n)}"`)
        await build()
    }
    assert.ok(!existsSync(first))
    assert.ok(readdirSync(join(folder, "out")).length < 8)
})

test("several at once, and a source that is wrong", async t => {
    const { folder, write, build, run } = program(t)
    await Promise.all([run(), run(), run()])
    write("part.ts", "export const part: = 1")
    await assert.rejects(build())
    const before = readdirSync(join(folder, "out"))
    await assert.rejects(build())
    assert.deepEqual(readdirSync(join(folder, "out")), before, "nothing half is left")
})

test("a read-only installation runs from its sources", t => {
    const script = `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && rm -rf "$0/.build/x" ; touch "$0/.build/x" 2>/dev/null && exit 9
        mount -t tmpfs -o ro none "$0/.build" ; cd "$0" && exec "$1" cli/vitalmote.mjs --version`
    const run = (text: string) =>
        spawnSync("unshare", ["-rm", "sh", "-c", text, projectDir, process.execPath], { encoding: "utf8" })
    if (run("mount -t tmpfs none /mnt").status !== 0)
        return t.skip("needs unshare that may mount: a read-only installation was NOT tried")
    const { stdout, stderr, status } = run(script)
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^\d+\.\d+\.\d+$/m)
})
