import { Command } from "commander"
import { UserError } from "../../host/errors.ts"
import { CaptureWriter } from "../../sim/capture/writer.ts"
import { routerPage, routerView } from "../../sim/mesh/page.ts"
import { ping } from "../../sim/mesh/ping.ts"
import { traceroute } from "../../sim/mesh/traceroute.ts"
import { formatAddress } from "../../sim/net/ipv6.ts"
import { judge } from "../../sim/scenario/judge.ts"
import { loadScenario, nodesOf, shippedScenarios } from "../../sim/scenario/load.ts"
import { summary, type Summary } from "../../sim/scenario/summary.ts"
import { Simulation } from "../../sim/simulation.ts"
import { integer, option, positive } from "../options.ts"
import { progressLine } from "../progress.ts"

interface Options {
    seed?: number
    until?: number
    pcap?: string
    rssi?: boolean
    ping?: number
    count: number
    traceroute?: number
    neighbors?: boolean
    routes?: boolean
    page?: boolean
    json?: boolean
    speed?: number
}

const nodeId = integer(1, 65_534)
/** Between two looks at whether everybody has joined. */
const lookS = 0.5
/** All motes connect to the router when they have joined; questions wait until that is over. */
const calmS = 15

export const simCommand = new Command("sim")
    .description(
        "simulate motes with the real firmware on an 802.15.4/6LoWPAN/RPL network; exit code 1 when what the scenario claims does not hold",
    )
    .argument("<scenario>", `a YAML file, or one of ${shippedScenarios().join(", ")}`)
    .addOption(option("--seed <n>", "another course of events").argParser(integer(0, 2 ** 31 - 1)))
    .addOption(
        option("--until <s>", "stop after so many seconds of simulated time").argParser(positive),
    )
    .addOption(option("--pcap <file>", "capture every frame, for Wireshark"))
    .addOption(option("--rssi", "capture what each radio received, with its signal strength"))
    .addOption(option("--ping <node>", "ping a mote from the host").argParser(nodeId))
    .addOption(option("--count <n>", "how often").argParser(integer(1, 100_000)).default(5))
    .addOption(option("--traceroute <node>", "the way to a mote").argParser(nodeId))
    .addOption(option("--neighbors", "the border router's neighbours"))
    .addOption(option("--routes", "the border router's routes"))
    .addOption(option("--page", "the border router's page, as Contiki's shows it"))
    .addOption(option("--speed <x>", "at most so many times real time").argParser(positive))
    .addOption(option("--json", "one JSON document instead of text"))
    .action(async (name: string, options: Options) => {
        const scenario = loadScenario(name)
        for (const id of [options.ping, options.traceroute])
            if (id !== undefined && !nodesOf(scenario).includes(id))
                throw new UserError(`there is no mote ${id}`, 2)
        // What cannot be written is said before the work, not after it.
        const capture =
            options.pcap === undefined ? undefined : new CaptureWriter(options.pcap, options.rssi)
        const progress = progressLine()
        const simulation = await Simulation.start(scenario, options.seed, (started, all) =>
            progress(`started ${started} of ${all} motes`),
        )
        if (capture) simulation.observers.add(capture)
        try {
            const asked = await ask(simulation, options, progress)
            progress("")
            if (options.json) console.log(JSON.stringify(asked.json))
            if (asked.failures.length) throw new UserError(asked.failures.join("; "))
        } finally {
            progress("")
            await simulation.stop()
            capture?.close()
        }
    })

interface Answer {
    json: object
    failures: string[]
}

async function ask(
    simulation: Simulation,
    options: Options,
    show: (line: string) => void,
): Promise<Answer> {
    const { neighbors, routes, page } = options
    const isQuestion =
        options.ping !== undefined ||
        options.traceroute !== undefined ||
        neighbors ||
        routes ||
        page
    const print = options.json ? () => {} : (line: string) => console.log(line)
    const end = options.until ?? simulation.scenario.duration
    let convergedS = Infinity
    const settled = () => {
        if (!isQuestion || options.until !== undefined) return false
        convergedS = hasConverged(simulation) ? Math.min(convergedS, simulation.now()) : Infinity
        return simulation.now() - convergedS >= calmS
    }
    await runTo(simulation, end, options.speed, settled, show)
    show("")
    if (!options.json)
        console.error(
            `border router ${formatAddress(simulation.root.ipv6.addresses[0]!)}, host ${formatAddress(simulation.host.address)}, ${simulation.motes.size} motes, ${simulation.now().toFixed(0)} s`,
        )
    if (!isQuestion) return await verdict(simulation, print)

    const json: Record<string, unknown> = {}
    const failures: string[] = []
    const { clock, host, root } = simulation
    const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
    const view = routerView(root, clock.now())
    if (neighbors) {
        json.neighbors = view.neighbours
        for (const { address, rank, etx } of view.neighbours)
            print(`${address} rank ${rank} etx ${etx.toFixed(2)}`)
    }
    if (routes) {
        json.routes = view.routes
        for (const { target, via, lifetimeS } of view.routes)
            print(`${target}/128 (via ${via}) ${lifetimeS}s`)
    }
    if (page) {
        json.page = routerPage(view)
        print(routerPage(view).trimEnd())
    }
    if (options.traceroute !== undefined) {
        const target = addressOf(simulation, options.traceroute)
        json.traceroute = await traceroute({ events: clock, host, target, print, wait })
    }
    if (options.ping !== undefined) {
        const target = addressOf(simulation, options.ping)
        const { count } = options
        const result = await ping({ events: clock, host, target, count, print, wait })
        const { sent, replies } = result
        json.ping = {
            target: formatAddress(target),
            sent,
            replies: replies.map(reply => ({ ...reply, from: formatAddress(reply.from) })),
        }
        if (!replies.length) failures.push(`mote ${options.ping} does not answer`)
    }
    return { json, failures }
}

/** Whether all that have power have joined and the border router knows the way to each. */
function hasConverged({ motes, root, clock }: Simulation): boolean {
    const { routes } = routerView(root, clock.now())
    const known = new Set(routes.map(({ target }) => target))
    return [...motes.values()].every(({ node }) => {
        const address = node?.ipv6.addresses[0]
        return !node || (node.rpl.parent && address && known.has(formatAddress(address)))
    })
}

function addressOf(simulation: Simulation, id: number): Uint8Array {
    const address = simulation.node(id)?.ipv6.addresses[0]
    if (!address) throw new UserError(`mote ${id} has not joined`)
    return address
}

async function runTo(
    simulation: Simulation,
    end: number,
    speed: number | undefined,
    isEnough: () => boolean,
    show: (line: string) => void,
): Promise<void> {
    const began = performance.now()
    while (simulation.now() < end && !isEnough()) {
        await simulation.run(Math.min(lookS, end - simulation.now()))
        const wallS = (performance.now() - began) / 1000
        const now = simulation.now()
        show(`${now.toFixed(0)} of ${end} s, ${(now / wallS).toFixed(0)}× real time`)
        const aheadS = speed === undefined ? 0 : now / speed - wallS
        if (aheadS > 0) await new Promise(resolve => setTimeout(resolve, 1000 * aheadS))
    }
}

async function verdict(simulation: Simulation, print: (line: string) => void): Promise<Answer> {
    const all = summary(simulation)
    printSummary(all, print)
    const verdicts = await judge(simulation)
    for (const { claim, holds, found } of verdicts)
        print(`${holds ? "holds" : "FAILS"}  ${claim}: ${found}`)
    const failures = verdicts
        .filter(({ holds }) => !holds)
        .map(({ claim, found }) => `does not hold: ${claim}: ${found}`)
    return { json: { ...all, verdicts }, failures }
}

function printSummary({ motes }: Summary, print: (line: string) => void): void {
    const columns = [
        "mote",
        "address",
        "parent",
        "hops",
        "joined s",
        "readings",
        "median s",
        "95 % s",
        "frames",
    ]
    const rows = motes.map(mote => [
        String(mote.id),
        mote.address ?? "",
        mote.parent === undefined ? "" : String(mote.parent),
        mote.hops === undefined ? "" : String(mote.hops),
        mote.joinedS?.toFixed(1) ?? "never",
        `${mote.delivery.arrived}/${mote.delivery.expected}`,
        mote.latencyS.median.toFixed(2),
        mote.latencyS.p95.toFixed(2),
        String(mote.framesSent),
    ])
    const widths = columns.map((name, i) =>
        Math.max(name.length, ...rows.map(row => row[i]!.length)),
    )
    for (const row of [columns, ...rows])
        print(
            row
                .map((text, i) => text.padEnd(widths[i]!))
                .join("  ")
                .trimEnd(),
        )
}
