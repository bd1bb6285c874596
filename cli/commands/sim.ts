import { availableParallelism } from "node:os"
import { Command } from "commander"
import { UserError } from "../../host/errors.ts"
import { CaptureWriter } from "../../sim/capture/writer.ts"
import { routerPage, routerView } from "../../sim/mesh/page.ts"
import { ping } from "../../sim/mesh/ping.ts"
import { traceroute } from "../../sim/mesh/traceroute.ts"
import { formatAddress } from "../../sim/net/ipv6.ts"
import { reportFolder } from "../../sim/report/output.ts"
import { reportPage } from "../../sim/report/page.ts"
import { Recorder } from "../../sim/report/recorder.ts"
import { reportOf } from "../../sim/report/report.ts"
import { judge, type Verdict } from "../../sim/run/judge.ts"
import { loadScenario, nodesOf, shippedScenarios } from "../../sim/scenario/load.ts"
import type { Scenario } from "../../sim/scenario/schema.ts"
import { summary, type Summary } from "../../sim/run/summary.ts"
import { Runner } from "../../sim/run/runner.ts"
import { openHostPorts } from "../../sim/run/host-ports.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { startLiveView } from "../../sim/web/server.ts"
import { eui } from "../../wire/keys.ts"
import { integer, option, port, positive } from "../options.ts"
import { progressLine } from "../progress.ts"
import { runUntilStopped } from "../service.ts"
import { runSweep } from "./sim-sweep.ts"

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
    report?: string
    sweep?: string
    runs?: number
    speed?: number
    web?: number
    coapPort?: number
    httpPort?: number
    threads?: number
}

const nodeId = integer(1, 65_534)
const defaultWebPort = "8090"
/** All motes connect to the router when they have joined; questions wait until that is over. */
const calmS = 15

export const simCommand = new Command("sim")
    .description(
        "simulate motes with the real firmware on an 802.15.4/6LoWPAN/RPL network; exit code 1 when what the scenario claims does not hold",
    )
    .argument("<scenario>", `a YAML file, or one of ${shippedScenarios().join(", ")}`)
    .addOption(option("--seed <n>", "another course of events").argParser(integer(0, 2 ** 31 - 1)))
    .addOption(option("--until <s>", "stop after so many seconds of simulated time").argParser(positive))
    .addOption(
        option(
            "--threads <n>",
            "run the firmware in so many threads beside the network's; 0: all in one (default: by motes and cores)",
        ).argParser(integer(0, 64)),
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
    .addOption(option("--report <dir>", "what became of it, as report.html and report.json in there"))
    .addOption(option("--sweep <key=v1,v2,…>", "compare runs with several values, as in medium.rx=0.7,0.8"))
    .addOption(option("--runs <n>", "runs with each value, each with another seed").argParser(integer(1, 1000)))
    .addOption(
        option("--web [port]", "watch and control it in a browser, in real time unless --speed")
            .argParser(port)
            .preset(defaultWebPort),
    )
    .addOption(
        option(
            "--coap-port <port>",
            "serve the motes to CoAP clients on this machine, TCP and UDP, in real time unless --speed",
        ).argParser(port),
    )
    .addOption(option("--http-port <port>", "the same for HTTP clients").argParser(port))
    .action(async (name: string, options: Options) => {
        if (options.web !== undefined && (isQuestion(options) || options.json))
            throw new UserError("--web: questions are asked in the page", 2)
        const isServed = isService(options)
        if (isServed && (isQuestion(options) || options.json || options.report !== undefined))
            throw new UserError("--coap-port, --http-port, --web: no questions, --json, --report", 2)
        if (options.runs !== undefined && options.sweep === undefined)
            throw new UserError("--runs: only with --sweep", 2)
        if (options.rssi && options.pcap === undefined) throw new UserError("--rssi: only with --pcap", 2)
        const scenario = loadScenario(name)
        for (const id of [options.ping, options.traceroute])
            if (id !== undefined && !nodesOf(scenario).includes(id)) throw new UserError(`there is no mote ${id}`, 2)
        const { sweep } = options
        if (sweep !== undefined) {
            if (isQuestion(options) || options.pcap !== undefined || isServed)
                throw new UserError("--sweep: no questions, --pcap, --web or ports", 2)
            return await runSweep(name, scenario, { ...options, sweep })
        }
        const writeReport = options.report === undefined ? undefined : reportFolder(options.report)
        // What cannot be written is said before the work, not after it.
        const capture = options.pcap === undefined ? undefined : new CaptureWriter(options.pcap, options.rssi)
        const progress = progressLine()
        const simulation = await Simulation.start(scenario, {
            ...(options.seed === undefined ? {} : { seed: options.seed }),
            threads: options.threads ?? usualThreads(scenario),
        })
        if (capture) simulation.observers.add(capture)
        const recorder = writeReport && new Recorder(simulation)
        if (recorder) simulation.observers.add(recorder)
        try {
            if (isServed) return await serve(simulation, options)
            const asked = await ask(simulation, options, progress)
            progress("")
            if (options.json) console.log(JSON.stringify(asked.json))
            if (recorder) {
                const report = reportOf(
                    ...([simulation, recorder, asked.verdicts] as const),
                    options.until === undefined ? name : `${name} --until ${options.until}`,
                )
                writeReport(reportPage(report), report)
            }
            if (asked.failures.length) throw new UserError(asked.failures.join("; "))
        } finally {
            progress("")
            try {
                await simulation.stop()
            } finally {
                capture?.close()
            }
        }
    })

function isQuestion({ ping, traceroute, neighbors, routes, page }: Options): boolean {
    return ping !== undefined || traceroute !== undefined || !!(neighbors || routes || page)
}

function isService({ web, coapPort, httpPort }: Options): boolean {
    return web !== undefined || coapPort !== undefined || httpPort !== undefined
}

/** Shows it in browsers, and its motes to clients, until somebody ends it; goes on beyond the scenario's duration. */
async function serve(simulation: Simulation, options: Options): Promise<void> {
    const runner = new Runner(simulation, options.speed ?? 1)
    const ports = await openHostPorts(simulation.ward, options)
    const { web } = options
    const view =
        web === undefined
            ? undefined
            : await startLiveView(simulation, runner, web).catch(async (error: Error) => {
                  await ports.close()
                  throw error
              })
    const run = async () => {
        await runner.runTo(options.until ?? Infinity)
        runner.pause()
        await runner.runTo(Infinity)
    }
    const running = run()
    if (view) console.log(view.url)
    const { coapPort, httpPort } = ports
    if (coapPort !== undefined) console.log(`coap+tcp://127.0.0.1:${coapPort}`)
    if (httpPort !== undefined) console.log(`http://127.0.0.1:${httpPort}`)
    if (coapPort !== undefined || httpPort !== undefined)
        for (const { id, identity } of simulation.motes.values())
            console.log(`mote ${id} /m/${eui(identity.kid)}/status`)
    const stopped = runUntilStopped(async () => {
        runner.stop()
        await running
    })
    try {
        await Promise.race([stopped, running.then(() => stopped)])
    } finally {
        await view?.close()
        await ports.close()
    }
}

interface Answer {
    json: object
    verdicts: Verdict[]
    failures: string[]
}

async function ask(simulation: Simulation, options: Options, show: (line: string) => void): Promise<Answer> {
    const { neighbors, routes, page } = options
    const print = options.json ? () => {} : (line: string) => console.log(line)
    const end = options.until ?? simulation.scenario.duration
    let convergedS = Infinity
    const settled = () => {
        if (!isQuestion(options) || options.until !== undefined) return false
        convergedS = hasConverged(simulation) ? Math.min(convergedS, simulation.now()) : Infinity
        return simulation.now() - convergedS >= calmS
    }
    await new Runner(simulation, options.speed).runTo(end, settled, (now, speed) =>
        show(`${now.toFixed(0)} of ${end} s, ${speed.toFixed(0)}× real time`),
    )
    show("")
    if (!options.json)
        console.error(
            `border router ${formatAddress(simulation.root.ipv6.addresses[0]!)}, host ${formatAddress(simulation.host.address)}, ${simulation.motes.size} ${simulation.motes.size === 1 ? "mote" : "motes"}, ${simulation.now().toFixed(0)} s`,
        )
    if (!isQuestion(options)) return await verdict(simulation, print)

    const json: Record<string, unknown> = {}
    const failures: string[] = []
    const { clock, host, root } = simulation
    const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
    const view = routerView(root, clock.now())
    if (neighbors) {
        json.neighbors = view.neighbours
        for (const { address, rank, etx } of view.neighbours) print(`${address} rank ${rank} etx ${etx.toFixed(2)}`)
    }
    if (routes) {
        json.routes = view.routes
        for (const { target, via, lifetimeS } of view.routes) print(`${target}/128 (via ${via}) ${lifetimeS}s`)
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
    return { json, verdicts: [], failures }
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

async function verdict(simulation: Simulation, print: (line: string) => void): Promise<Answer> {
    const all = summary(simulation)
    printSummary(all, print)
    const verdicts = await judge(simulation)
    for (const { claim, holds, found } of verdicts) print(`${holds ? "holds" : "FAILS"}  ${claim}: ${found}`)
    const failures = verdicts
        .filter(({ holds }) => !holds)
        .map(({ claim, found }) => `does not hold: ${claim}: ${found}`)
    return { json: { ...all, verdicts }, verdicts, failures }
}

function printSummary({ motes }: Summary, print: (line: string) => void): void {
    const columns = ["mote", "address", "parent", "hops", "joined s", "readings", "median s", "95 % s", "frames"]
    const rows = motes.map(mote => [
        String(mote.id),
        mote.address ?? "",
        mote.parent === undefined ? "" : String(mote.parent),
        mote.hops === undefined ? "" : String(mote.hops),
        mote.joinedS?.toFixed(1) ?? "never",
        `${mote.delivery.arrived}/${mote.delivery.expected}`,
        mote.delivery.arrived ? mote.latencyS.median.toFixed(2) : "",
        mote.delivery.arrived ? mote.latencyS.p95.toFixed(2) : "",
        String(mote.framesSent),
    ])
    const widths = columns.map((name, i) => Math.max(name.length, ...rows.map(row => row[i]!.length)))
    for (const row of [columns, ...rows])
        print(
            row
                .map((text, i) => text.padEnd(widths[i]!))
                .join("  ")
                .trimEnd(),
        )
}

/** Where few motes share a thread, threads wait for each other more than they work. */
const motesPerThread = 10

function usualThreads(scenario: Scenario): number {
    const threads = Math.min(availableParallelism(), Math.floor(nodesOf(scenario).length / motesPerThread))
    return threads > 1 ? threads : 0
}
