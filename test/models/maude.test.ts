import assert from "node:assert/strict"
import { test } from "node:test"
import { askMaude, missingForMaude, questions, traceOf } from "../../models/maude.ts"

const missing = missingForMaude()
const needsMaude = { skip: missing === undefined ? false : `${missing}: the attackers were NOT searched` }
const answers =
    missing === undefined ? await askMaude() : questions().map(question => ({ ...question, isFound: undefined }))

const says = { can: "can, with a trace", cannot: "cannot, in any state", fault: "is a planted fault that is found" }
for (const { name, kind, isFound } of answers)
    test(`attackers.maude: ${name} ${says[kind]}`, needsMaude, () => assert.equal(isFound, kind !== "cannot"))

test("a trace has the steps that lead to it", needsMaude, async () => {
    const answer = (await askMaude()).find(({ name }) => name === "line-drops, receipt-without-nonce")
    assert.ok(answer)
    assert.match(await traceOf(answer), /router[^]*drops/)
})
