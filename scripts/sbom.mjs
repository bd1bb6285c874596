// Prints what a running VitalMote is made of, as CycloneDX: `npm run sbom`. `npm sbom --omit dev` would leave out what tests name
// themselves and what runs needs as well, such as ajv. So npm lists everything, and what only tests need is taken out here.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const cwd = fileURLToPath(new URL("..", import.meta.url))
const { packages } = JSON.parse(readFileSync(`${cwd}package-lock.json`, "utf8"))
const output = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application"], {
    ...{ cwd, encoding: "utf8", maxBuffer: 2 ** 26, shell: process.platform === "win32" },
})
const bom = JSON.parse(output)
const needed = new Set(
    Object.entries(packages)
        .filter(([path, { dev }]) => path !== "" && !dev)
        .map(([path, { version }]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)} ${version}`),
)
const isNeeded = ({ name, version }) => needed.has(`${name} ${version}`)
bom.metadata.component.name = packages[""].name
bom.components = bom.components.filter(isNeeded)
const kept = new Set([bom.metadata.component, ...bom.components].map(component => component["bom-ref"]))
bom.dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(other => kept.has(other)) }))
console.log(JSON.stringify(bom, null, 4))
