import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { spinChecks } from "../../models/checks.ts"
import { missingForSpin, runSpin } from "../../models/spin.ts"

const missing = missingForSpin()
const needsSpin = { skip: missing === undefined ? false : `${missing}: the models were NOT searched` }
const folder = new URL("../../models/", import.meta.url)
const models = readdirSync(folder).filter(file => file.endsWith(".pml"))

// The others take two minutes: `npm run models -- --long`.
for (const check of spinChecks.filter(({ isLong }) => !isLong)) {
    const { name, model, fault } = check
    const what = fault ? `the planted fault ${name} of ${model} is found` : `${model}: ${name} holds in every state`
    test(what, needsSpin, async () => {
        const { trace } = await runSpin(check)
        if (fault) assert.notEqual(trace, undefined)
        else assert.equal(trace, undefined)
    })
}

test("every model has a claim, and every symbol that a check defines is one of its model", () => {
    for (const model of models)
        assert.ok(spinChecks.some(check => check.model === model && !check.fault && !check.isLong))
    for (const { model, defines = [] } of spinChecks) {
        const source = readFileSync(new URL(model, folder), "utf8")
        for (const define of defines) assert.match(source, new RegExp(`^#ifn?def ${define.split("=")[0]}$`, "m"), model)
    }
})

test("the source files that the models follow exist", () => {
    const project = new URL("../../", import.meta.url)
    for (const model of [...models, "attackers.maude"]) {
        const source = readFileSync(new URL(model, folder), "utf8")
        const named = source.match(/\b(?:src|router|clinic|wire)\/[\w/-]+\.ts\b/g) ?? []
        assert.ok(named.length > 0, model)
        for (const file of named) assert.ok(readFileSync(new URL(file, project)).length > 0, file)
    }
})
