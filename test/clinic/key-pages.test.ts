import assert from "node:assert/strict"
import { test } from "node:test"
import { pageOf } from "../../clinic/http/ingest.ts"
import { eui } from "../../wire/keys.ts"
import { TestMote } from "../support/mote.ts"

test("keys come in pages by kid, whatever their order, two of one mote together, each once", () => {
    const motes = [5, 1, 4, 2, 3].map(n => TestMote.numbered(n).routerKeys)
    const keys = [...motes, { ...TestMote.numbered(9, motes[3]!.kid).routerKeys, generation: 1 }]
    for (const max of [2, 3, 4, 6, 7]) {
        const seen: string[] = []
        let after: string | undefined
        do {
            const { page, next } = pageOf(keys, after, max)
            assert.ok(page.length > 0 && page.length <= max)
            seen.push(...page.map(({ kid, generation = 0 }) => `${eui(kid).slice(-1)}.${generation}`))
            after = next
        } while (after !== undefined)
        assert.deepEqual(seen, ["1.0", "2.0", "2.1", "3.0", "4.0", "5.0"], `${max} at a time`)
    }
    assert.deepEqual(pageOf([], undefined), { page: [], next: undefined })
})
