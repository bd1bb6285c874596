import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { Sessions } from "../../../router/access/sessions.ts"
import { PageUsers } from "../../../router/access/users.ts"
import { ManualClock } from "../../support/clock.ts"
import { temporaryFolder } from "../../support/folder.ts"

const password = "correct horse battery"
const hour = 3_600_000

test("users of the page: a link sets the password once, within a day; nothing secret is in the file", async t => {
    const folder = join(temporaryFolder(t), "users")
    let now = 1_000
    const users = new PageUsers({ folder, now: () => now, random: randomBytes })
    assert.deepEqual(users.all(), [])
    users.add("tech", "change")
    assert.throws(() => users.add("tech", "look"), /already/)
    for (const bad of ["", "Tech", "../tech", "a.b", "-a", "x".repeat(33)]) {
        assert.throws(() => users.add(bad, "look"), /a name has/)
        assert.equal(users.find(bad), undefined)
    }
    const first = users.addSetupLink("tech").token
    const second = users.addSetupLink("tech").token
    const file = join(folder, "tech.json")
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.ok(!readFileSync(file, "utf8").includes(second.split(".")[1]!))
    for (const wrong of [first, `${second}x`, `other.${second.split(".")[1]}`, "tech", "tech.", ""])
        assert.equal(await users.useSetupLink(wrong, password), false, wrong)
    assert.equal(await users.verified("tech", password), undefined)
    assert.equal(await users.useSetupLink(second, password), true)
    assert.equal(await users.useSetupLink(second, password), false)
    assert.equal((await users.verified("tech", password))?.right, "change")
    for (const [name, wrong] of [
        ["tech", "correct horse"],
        ["nobody", password],
        ["../tech", password],
    ] as const)
        assert.equal(await users.verified(name, wrong), undefined)
    assert.match(readFileSync(file, "utf8"), /\$argon2id\$/)
    const late = users.addSetupLink("tech").token
    now += 24 * hour
    assert.equal(await users.useSetupLink(late, password), false)
    assert.equal(users.remove("tech"), true)
    assert.equal(users.remove("tech"), false)
    assert.equal(await users.verified("tech", password), undefined)
    users.add("tech", "look")
    for (const damage of ["{", "{}", readFileSync(file, "utf8").replace('"tech"', '"other"')]) {
        writeFileSync(file, damage)
        assert.throws(() => users.find("tech"), /is damaged/)
    }
})

test("sessions end after half an hour unused, after twelve hours, with another password and with the user", async t => {
    const clock = new ManualClock()
    const users = new PageUsers({ folder: temporaryFolder(t), now: () => clock.now(), random: randomBytes })
    const sessions = new Sessions({ users, clock, random: randomBytes })
    const begin = async () => {
        await users.useSetupLink(users.addSetupLink("tech").token, password)
        return sessions.begin(users.find("tech")!)
    }
    users.add("tech", "look")
    const token = await begin()
    assert.equal(sessions.find(`${token}x`), undefined)
    for (let used = 0; used < 24; used++) {
        assert.equal(sessions.find(token)?.name, "tech")
        await clock.advance(0.5 * hour)
    }
    await clock.advance(1)
    assert.equal(sessions.find(token), undefined)
    const idle = await begin()
    await clock.advance(0.5 * hour + 1)
    assert.equal(sessions.find(idle), undefined)
    const changed = await begin()
    const after = await begin()
    assert.equal(sessions.find(changed), undefined)
    sessions.end(after)
    assert.equal(sessions.find(after), undefined)
    const removed = await begin()
    users.remove("tech")
    assert.equal(sessions.find(removed), undefined)
    users.add("tech", "look")
    const many = [await begin()]
    for (let n = 0; n < 256; n++) many.push(sessions.begin(users.find("tech")!))
    assert.equal(sessions.find(many[0]!), undefined)
    assert.equal(sessions.find(many[1]!)?.name, "tech")
})
