import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const run = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(v => v.id + ": " + v.nodes[0].html))`

/** What axe-core finds wrong on a page as it is now: the rule, and the first element that breaks it. */
export async function faults(page: Page): Promise<string[]> {
    await page.evaluate(axe)
    return await page.evaluate<string[]>(run)
}
