import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Value, type ValueError } from "@sinclair/typebox/value"
import { LineCounter, parseDocument, type Document } from "yaml"
import { readBounded } from "../../host/bounded-file.ts"
import { UserError } from "../../host/errors.ts"
import { checkConfig, ConfigError } from "../../wire/settings.ts"
import { projectDir } from "../../devicescript/build.ts"
import { PacketError } from "../net/bytes.ts"
import { parsePrefix } from "./prefix.ts"
import type { MediumChoice } from "../radio/media/media.ts"
import { ScenarioSchema, type Scenario, type ScenarioEvent, type Wearer } from "./schema.ts"

const maxFileBytes = 1_000_000
const maxNodes = 1000
/** An address contains the node's number in 16 bits. */
const maxId = 65_534
const folder = join(projectDir, "scenarios")

/** Names of the scenarios included in the project. */
export function shippedScenarios(): string[] {
    return readdirSync(folder)
        .filter(name => name.endsWith(".yaml"))
        .map(name => name.slice(0, -5))
        .sort()
}

/** Loads a shipped scenario by name, or any by its file. @throws UserError naming file, line and what was expected */
export function loadScenario(nameOrFile: string): Scenario {
    const isShipped = shippedScenarios().includes(nameOrFile)
    const file = isShipped ? join(folder, `${nameOrFile}.yaml`) : nameOrFile
    if (!/[./]/.test(nameOrFile) && !isShipped && !existsSync(file))
        throw new UserError(`no scenario "${nameOrFile}": a file, or one of ${shippedScenarios().join(", ")}`, 2)
    const text = readBounded(file, maxFileBytes).toString("utf8")
    return parseScenario(text, isShipped ? `${nameOrFile}.yaml` : file)
}

/** Parses a scenario. @throws UserError naming file, line and what was expected */
export function parseScenario(text: string, file: string): Scenario {
    const lines = new LineCounter()
    if (text.length > maxFileBytes) throw new UserError(`${file}: larger than ${maxFileBytes} bytes`, 2)
    const document = parseDocument(text, { lineCounter: lines })
    const wrong = (line: number, what: string) => new UserError(`${file}:${line}: ${what}`, 2)
    const [problem] = document.errors
    if (problem) throw wrong(lines.linePos(problem.pos[0]).line, problem.message.split("\n")[0]!)
    const value = document.toJS({ maxAliasCount: 100 }) as unknown
    const lineOf = (path: string) => lineAt(document, lines, path)
    const error = Value.Errors(ScenarioSchema, value).First()
    if (error) {
        const { path, message } = deepest(error)
        throw wrong(lineOf(path), `${nameOf(path)}${message}`)
    }
    const scenario = value as Scenario
    check(scenario, (path, what) => {
        throw wrong(lineOf(path), what)
    })
    return scenario
}

/** The error of the alternative that was most likely meant. */
function deepest(error: ValueError): { path: string; message: string } {
    let best = { path: error.path, message: reason(error) }
    if (choicesOf(error).length) return best
    let fewest = Infinity
    const kinds: string[] = []
    for (const variant of error.errors) {
        const all = [...variant]
        const kind = all.find(({ path }) => path.endsWith("/kind"))
        if (kind) {
            kinds.push(String(kind.schema.const))
            const message = `expected one of ${kinds.join(", ")}`
            if (fewest === Infinity) best = { path: kind.path, message }
            continue
        }
        if (!all.length || all.length >= fewest) continue
        fewest = all.length
        best = deepest(all[0]!)
    }
    return best
}

/** The words allowed, if the schema is a choice of words. */
function choicesOf({ schema }: ValueError): string[] {
    const { anyOf = [] } = schema as { anyOf?: { const?: unknown }[] }
    return anyOf.flatMap(({ const: one }) => (one === undefined ? [] : [String(one)]))
}

function reason(error: ValueError): string {
    const choices = choicesOf(error)
    const text = choices.length ? `expected one of ${choices.join(", ")}` : error.message
    return text[0]!.toLowerCase() + text.slice(1)
}

function nameOf(path: string): string {
    return path ? `${path.slice(1).replaceAll("/", ".")}: ` : ""
}

function lineAt(document: Document, lines: LineCounter, path: string): number {
    const keys = path.split("/").slice(1)
    for (; keys.length; keys.pop()) {
        const at = keys.map(key => (/^\d+$/.test(key) ? Number(key) : key))
        const node = document.getIn(at, true) as { range?: [number, number, number] } | undefined
        if (node?.range) return lines.linePos(node.range[0]).line
    }
    return 1
}

/** The numbers of the border router and all motes. */
export function nodesOf({ root, motes = [], grids = [] }: Scenario): number[] {
    const inGrids = grids.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i))
    return [root.id, ...motes.map(({ id }) => id), ...inGrids]
}

/** Checks what a schema cannot express: numbers that are duplicate or missing, and contradictions. */
function check(scenario: Scenario, wrong: (path: string, what: string) => never): void {
    const known = new Map<number, string>([[scenario.root.id, "/root"]])
    const add = (id: number, path: string) => {
        if (known.has(id)) wrong(path, `node ${id} is defined twice`)
        known.set(id, path)
    }
    scenario.motes?.forEach(({ id }, i) => add(id, `/motes/${i}/id`))
    scenario.grids?.forEach(({ first, count }, i) => {
        if (first + count - 1 > maxId) wrong(`/grids/${i}`, `numbers up to ${maxId} expected`)
        for (let id = first; id < first + count; id++) add(id, `/grids/${i}`)
    })
    if (known.size > maxNodes) wrong("/grids", `${maxNodes} nodes at most`)
    const motes = new Set(known.keys())
    motes.delete(scenario.root.id)
    scenario.attackers?.forEach(({ id }, i) => add(id, `/attackers/${i}/id`))
    scenario.attackers?.forEach(({ from = 0, to = Infinity }, i) => {
        if (to <= from) wrong(`/attackers/${i}/to`, "to: must be later than from")
    })
    const wearers: [Wearer | undefined, string][] = [
        ...(scenario.motes ?? []).map(({ wearer }, i): [Wearer | undefined, string] => [wearer, `/motes/${i}/wearer`]),
        ...(scenario.grids ?? []).map(({ wearer }, i): [Wearer | undefined, string] => [wearer, `/grids/${i}/wearer`]),
    ]
    for (const [wearer, path] of wearers) {
        const { condition, within, ...values } = wearer ?? {}
        if (condition === undefined && within !== undefined) wrong(path, "wearer: within needs a condition")
        if (condition !== undefined && Object.keys(values).length)
            wrong(path, "wearer: either a condition or values, not both")
    }
    scenario.motes?.forEach(({ path = [] }, i) => {
        const at = path.findIndex((point, n) => point.at <= (path[n - 1]?.at ?? 0))
        if (at >= 0) wrong(`/motes/${i}/path/${at}`, "path: times must increase")
    })
    const media: [MediumChoice | undefined, string][] = [[scenario.medium, "/medium"]]
    scenario.events?.forEach(({ medium }, i) => media.push([medium, `/events/${i}/medium`]))
    for (const [medium, path] of media)
        if (medium?.kind === "graph")
            medium.links.forEach(({ from, to }, i) => {
                for (const id of [from, to]) if (!known.has(id)) wrong(`${path}/links/${i}`, `no node ${id}`)
            })
    try {
        checkConfig(scenario.configuration ?? {})
    } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        wrong("/configuration", `configuration.${error.message}`)
    }
    const { prefix } = scenario.network ?? {}
    try {
        if (prefix !== undefined) parsePrefix(prefix)
    } catch (error) {
        if (!(error instanceof PacketError)) throw error
        wrong("/network/prefix", `network.prefix: ${error.message}`)
    }
    if (motes.size === 0) wrong("/motes", "no mote: motes or grids expected")
    scenario.events?.forEach((event, i) => {
        const named = [...(event.motes ?? []), ...(event.mote === undefined ? [] : [event.mote])]
        for (const id of named) if (!motes.has(id)) wrong(`/events/${i}`, `no mote ${id}`)
        if (event.do === "medium" ? !event.medium : event.do !== "repair" && !named.length)
            wrong(`/events/${i}`, `${event.do}: ${event.do === "medium" ? "medium" : "mote"} expected`)
        if (event.do === "move" && (event.x === undefined || event.y === undefined))
            wrong(`/events/${i}`, "move: x and y expected")
        const foreign = Object.keys(event).find(key => !keysOf(event.do).includes(key))
        if (foreign) wrong(`/events/${i}/${foreign}`, `${event.do}: ${foreign} is not allowed here`)
    })
    scenario.assert?.forEach((assertion, i) => {
        const named = "ping" in assertion ? assertion.ping : "alarm" in assertion ? assertion.mote : undefined
        if (named !== undefined && !motes.has(named)) wrong(`/assert/${i}`, `no mote ${named}`)
    })
}

/** Properties of an event of this kind. */
function keysOf(kind: ScenarioEvent["do"]): string[] {
    if (kind === "medium") return ["at", "do", "medium"]
    if (kind === "repair") return ["at", "do"]
    return ["at", "do", "mote", "motes", ...(kind === "move" ? ["x", "y"] : [])]
}
