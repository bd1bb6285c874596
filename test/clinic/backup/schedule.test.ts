import assert from "node:assert/strict"
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { startClinic } from "../../../clinic/index.ts"
import { silentLog } from "../../../host/log.ts"
import { ManualClock } from "../../support/clock.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { until } from "../../support/until.ts"

const hour = 3_600_000
const minute = 60_000

async function hospital(t: TestContext) {
    const root = temporaryFolder(t)
    const folder = join(root, "backups")
    const clock = new ManualClock()
    const backup = { folder, everyMs: 6 * hour, keep: 2, passphrase: "correct horse battery" }
    const messages: string[] = []
    const log = { ...silentLog, info: (_: object, message: string) => void messages.push(message) }
    const running = await startClinic({ data: join(root, "clinic"), port: 0, clock, log, backup })
    t.after(() => running.close())
    const files = () => readdirSync(folder).sort()
    const alarms = async () => (await running.clinic.alarms.open()).map(({ kind }) => kind)
    const made = () => messages.filter(message => message === "backup made").length
    return { folder, clock, files, alarms, made }
}

test("backups by schedule: one at once, then every six hours; the two newest are kept", async t => {
    const { clock, files, made } = await hospital(t)
    const start = new Date(clock.now() + minute).toISOString().slice(0, 13).replaceAll("-", "")
    const names = new Set<string>()
    for (let n = 1; n <= 3; n++) {
        await clock.advance(minute)
        await until(() => made() === n, `backup ${n}`)
        for (const name of files()) names.add(name)
        clock.step(6 * hour)
    }
    const [first, ...kept] = [...names].sort()
    assert.match(first!, new RegExp(`^vitalmote-${start}\\d{4}Z\\.age$`))
    await until(() => files().length === 2, "the oldest is removed")
    assert.deepEqual(files(), kept)
})

test("a backup that fails, or is not made, is an alarm until one succeeds; what an interrupted one left is removed", async t => {
    const { folder, clock, files, alarms } = await hospital(t)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, "a file where the folder should be")
    await clock.advance(minute)
    await until(async () => {
        await clock.advance(5000)
        return (await alarms()).includes("backup-overdue")
    }, "the alarm")
    rmSync(folder)
    mkdirSync(folder)
    writeFileSync(join(folder, "vitalmote-20240101T000000Z.age.new"), "half")
    writeFileSync(join(folder, "vitalmote-20240101T000000Z.age"), "an old one")
    writeFileSync(join(folder, "notes.txt"), "somebody else's")
    await until(async () => {
        await clock.advance(minute)
        return (await alarms()).length === 0
    }, "the alarm's end")
    const [notes, old, made, ...more] = files()
    assert.deepEqual([notes, old, more], ["notes.txt", "vitalmote-20240101T000000Z.age", []])
    assert.match(made!, /\.age$/)
})
