// Writes this version and today's date to host/build-date.ts, or to the file that is given. `npm version` runs it.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const [file = fileURLToPath(new URL("../host/build-date.ts", import.meta.url))] = process.argv.slice(2)
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
const today = new Date().toISOString().slice(0, 10)
writeFileSync(
    file,
    `// Written by scripts/build-date.mjs, which \`npm version\` runs.

/** The version that the date belongs to. */
export const buildVersion = "${version}"

/** The date of this version, as Unix time in milliseconds. A clock that shows an earlier date is wrong. */
export const buildDateMs = Date.parse("${today}")
`,
)
