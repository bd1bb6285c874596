import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const project = fileURLToPath(new URL("../../", import.meta.url))
const file = readFileSync(join(project, "deploy/container/Containerfile"), "utf8")
const instructions = file
    .split("\n")
    .filter(line => line !== "" && !line.startsWith("#"))
    .map(line => /^([A-Z]+) (.*)$/.exec(line)!.slice(1) as [string, string])
const of = (name: string) => instructions.filter(([instruction]) => instruction === name).map(([, rest]) => rest)

/*
 * No container can be built where the tests run, so this holds the file against what it names.
 */
test("Containerfile: what it names is there; no root, no install scripts, the signal that ends the service in order", () => {
    const known = [
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "ENV",
        "EXPOSE",
        "STOPSIGNAL",
        "ENTRYPOINT",
        "CMD",
    ]
    for (const [instruction] of instructions) assert.ok(known.includes(instruction), instruction)
    const { engines } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { engines: { node: string } }
    const [, node] = /node:(\d+)/.exec(of("FROM")[0]!)!
    assert.match(engines.node, new RegExp(`^>=${node}\\.`))
    const copied = of("COPY").flatMap(line => line.split(" ").slice(0, -1))
    for (const path of copied) assert.ok(path === "." || existsSync(join(project, path)), path)
    assert.match(of("RUN")[0]!, /^npm ci --omit=dev --ignore-scripts/)
    assert.deepEqual(of("USER"), ["node"])
    assert.deepEqual(of("STOPSIGNAL"), ["SIGTERM"])
    const [, program, ...more] = JSON.parse(of("ENTRYPOINT")[0]!) as string[]
    assert.ok(existsSync(join(project, program!.replace("/opt/vitalmote/", ""))) && more.length === 0)
    const ignored = readFileSync(join(project, "deploy/container/Containerfile.dockerignore"), "utf8").split("\n")
    for (const folder of [".git", "node_modules", ".vitalmote"]) assert.ok(ignored.includes(folder), folder)
})
