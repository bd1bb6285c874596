import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { documents, withTables } from "../../scripts/docs.ts"

for (const file of documents)
    test(`${file} says what the tables say; otherwise: npm run docs`, () => {
        const document = readFileSync(file, "utf8")
        assert.match(document, /<!-- table /)
        assert.equal(document, withTables(document))
    })
