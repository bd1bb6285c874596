import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { projectDir } from "../../devicescript/build.ts"
import { buildDateMs, buildVersion } from "../../host/build-date.ts"
import { temporaryFolder } from "../support/folder.ts"

const packageJson = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
    version: string
    scripts: Record<string, string>
}

test("the build's date belongs to this version, which `npm version` sees to", () => {
    assert.equal(buildVersion, packageJson.version, "raise the version with npm version, which writes the date, too")
    assert.match(packageJson.scripts.version!, /^node scripts\/build-date\.mjs && git add host\/build-date\.ts$/)
    assert.ok(buildDateMs <= Date.now(), "a date to come would keep routers from giving receipts")
})

test("a release gets the date of its day", t => {
    const file = join(temporaryFolder(t), "build-date.ts")
    const before = new Date().toISOString().slice(0, 10)
    execFileSync(process.execPath, [join(projectDir, "scripts/build-date.mjs"), file])
    const written = readFileSync(file, "utf8")
    const [, date = ""] = /Date\.parse\("(\d{4}-\d\d-\d\d)"\)/.exec(written) ?? []
    assert.ok(before <= date && date <= new Date().toISOString().slice(0, 10))
    const released = readFileSync(join(projectDir, "host/build-date.ts"), "utf8")
    assert.equal(written.replace(date, ""), released.replace(/\d{4}-\d\d-\d\d/, ""))
})
