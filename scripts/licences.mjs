// Prints the licence of every package that a running VitalMote needs, out of package-lock.json: `npm run licences`.
import { readFileSync } from "node:fs"

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"))
const packages = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && !dev)
const byLicence = new Map()
for (const [path, { version, license = "unknown" }] of packages) {
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
    byLicence.set(license, [...(byLicence.get(license) ?? []), `${name} ${version}`])
}
for (const [licence, names] of [...byLicence].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(
        `${licence}\n${names
            .sort()
            .map(name => `    ${name}\n`)
            .join("")}`,
    )
