import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import {
    actions,
    kindOf,
    may,
    mayOnWard,
    patientsFor,
    permissions,
    roles,
    scopeOf,
    type Role,
} from "../../clinic/people/permissions.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

test("what one may do: nobody more than the table says", () => {
    const subject = (role: Role) => ({
        role,
        patient: role === "patient" ? 7 : null,
        ...(kindOf(role).wards !== "none" && { wards: ["ICU"], onWard: [7], opened: [{ patient: 9 }] }),
    })
    for (const role of roles)
        for (const action of actions) {
            const user = subject(role)
            const scope = scopeOf(user, action)
            assert.equal(may(user, action), scope !== undefined)
            assert.equal(may(user, action, 7), scope !== undefined)
            assert.equal(may(user, action, 8), scope === "all")
            const patients = scope === "all" ? "all" : scope === undefined ? [] : [7]
            const opens = scope === "ward" && "breakGlass" in permissions[action]
            assert.deepEqual(patientsFor(user, action), opens ? [7, 9] : patients)
            assert.equal(may(user, action, 9), scope === "all" || opens)
            assert.equal(may(user, action, null), scope === "all")
            assert.equal(mayOnWard(user, action, "ICU"), scope === "all" || scope === "ward")
            assert.equal(mayOnWard(user, action, "3 West"), scope === "all")
            assert.equal(mayOnWard(user, action, null), scope === "all")
            const everywhere = { role, patient: null, wards: "all" } as const
            const whole = scopeOf(everywhere, action)
            assert.equal(may(everywhere, action, 8), whole === "all" || whole === "ward")
            // Nobody said which wards: none.
            assert.equal(may({ role, patient: null }, action, 7), whole === "all")
        }
    assert.deepEqual(patientsFor({ role: "patient", patient: null }, "read"), [])
    const limited = { role: "doctor", patient: null, wards: ["ICU"], onWard: [7] } as const
    assert.equal(may(limited, "manage-users"), false, "nobody gives themselves more wards")
    assert.equal(may({ ...limited, wards: "all" }, "manage-users"), true)
    assert.equal(may({ role: "patient", patient: null }, "read", 7), false)
})

test("docs/api.md has the table of permissions", () => {
    const cells = { all: "yes", own: "own data", ward: "own wards" }
    const line = (cells: string[]) => `| ${cells.join(" | ")} |`
    const table = [
        line(["permission", "allows to", ...roles]),
        line(["", "", ...roles].map(() => "---")),
        ...actions.map(action => {
            const who = roles.map(role => scopeOf({ role }, action)).map(scope => (scope ? cells[scope] : "–"))
            const opens = "breakGlass" in permissions[action] ? " ●" : ""
            return line([`\`${action}\`${opens}`, permissions[action].allows, ...who])
        }),
    ].join("\n")
    const page = readFileSync(join(root, "docs/api.md"), "utf8")
    assert.ok(page.includes(table), `docs/api.md should have\n${table}`)
})

test("only the table compares roles", () => {
    const role = `"(?:${roles.join("|")})"`
    const comparison = new RegExp(
        `[=!]==? ?${role}|${role} ?[=!]==|case ${role}|\\brole\\b.*includes|includes\\(.*\\brole\\b`,
    )
    assert.match('user.role === "doctor"', comparison)
    const folder = join(root, "clinic")
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!file.endsWith(".ts")) continue
        const found = comparison.exec(readFileSync(join(folder, file), "utf8"))
        assert.equal(found, null, `${file}: ask may() instead of ${found?.[0]}`)
    }
})
