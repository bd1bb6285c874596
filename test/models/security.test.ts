import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { spinChecks } from "../../models/checks.ts"
import { questions } from "../../models/maude.ts"

const page = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8")
const spinClaims = spinChecks.filter(check => !check.fault && !check.isLong).map(({ name }) => name)
const asked = new Map(questions().map(({ name, kind }) => [name, kind]))
const claims = [...spinClaims, ...[...asked].filter(([, kind]) => kind !== "fault").map(([name]) => name)]

/** The table of attackers: what each `can` and `cannot` do, and the names of the checks. */
function rows(): { kind: string; sentence: string; checks: string[] }[] {
    const [, table] = /^\| an attacker who \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(page) ?? []
    return (table ?? "")
        .trimEnd()
        .split("\n")
        .map(line => {
            const [, , kind = "", sentence = "", checks = ""] = line.split(/ ?\| ?/)
            return { kind, sentence, checks: [...checks.matchAll(/`([^`]+)`/g)].map(([, name]) => name!) }
        })
}

test("every sentence about an attacker names what checks it: a question of that kind, a model's claim, or a test", () => {
    assert.ok(rows().length > 30)
    for (const { kind, sentence, checks } of rows()) {
        assert.ok(kind === "can" || kind === "cannot", `${kind}: ${sentence}`)
        assert.ok(checks.length > 0, `nothing checks “${sentence}”`)
        for (const check of checks) {
            const isTest = existsSync(new URL(`../../test/${check}.test.ts`, import.meta.url))
            const isClaim = isTest || spinClaims.includes(check)
            assert.ok(isClaim || asked.get(check) === kind, `${check} does not check that somebody ${kind} ${sentence}`)
        }
    }
})

test("every claim of the models is on the page", () => {
    for (const claim of claims) assert.ok(page.includes(`\`${claim}\``), `docs/security.md does not name ${claim}`)
})

test("whatever else the page says that somebody cannot do names its check, too", () => {
    const prose = page.split(/\n\n+/).filter(paragraph => !paragraph.trimStart().startsWith("|"))
    const items = prose.flatMap(paragraph => paragraph.split(/\n(?=- )/))
    for (const item of items.filter(text => /\bcannot\b/.test(text)))
        assert.ok(
            claims.some(claim => item.includes(`\`${claim}\``)) || /`npm test [\w/ -]+`/.test(item),
            `nothing checks “${item.slice(0, 200)}”`,
        )
})
