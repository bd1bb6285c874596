import { Command } from "commander"
import { readRuntime, siliconStarter } from "../../emulator/index.ts"
import { UserError } from "../../host/errors.ts"
import {
    contextsOf,
    isAnyAsked,
    loadScenario,
    nodesOf,
    type Questions,
    runScenario,
    type RunState,
    type Scenario,
    serveSimulation,
    shippedScenarios,
    type Summary,
    type Verdict,
    withSimulation,
    writeWiresharkProfile,
} from "../../sim/index.ts"
import { integer, option, port, positive } from "../options.ts"
import { progressLine } from "../progress.ts"
import { exitCodes, onSignal, runUntilStopped } from "../service.ts"
import { table } from "../table.ts"
import { runSweep } from "./sim-sweep.ts"

interface Options extends Questions {
    seed?: number
    until?: number
    pcap?: string
    rssi?: boolean
    wiresharkProfile?: string
    json?: boolean
    report?: string
    sweep?: string
    runs?: number
    speed?: number
    web?: number
    coapPort?: number
    httpPort?: number
    threads?: number
    runtime?: string
}

const nodeId = integer(1, 65_534)
const defaultWebPort = "8090"

export const simCommand = new Command("sim")
    .description(
        "simulate motes with the real firmware on an 802.15.4/6LoWPAN/RPL network; exit code 1 if a claim of the scenario does not hold",
    )
    .argument("<scenario>", `a YAML file, or one of ${shippedScenarios().join(", ")}`)
    .addOption(
        option("--seed <n>", "seed of the random numbers: another one gives another course of events").argParser(
            integer(0, 2 ** 31 - 1),
        ),
    )
    .addOption(option("--until <s>", "stop after this many seconds of simulated time").argParser(positive))
    .addOption(
        option(
            "--threads <n>",
            "threads for the firmware beside the network's; 0: one thread for everything (default: by motes and cores)",
        ).argParser(integer(0, 64)),
    )
    .addOption(
        option(
            "--runtime <file>",
            "for motes with `silicon`: DeviceScript's runtime, a UF2 file; else what `devs flash` has fetched",
        ),
    )
    .addOption(option("--pcap <file>", "capture every frame, for Wireshark"))
    .addOption(option("--rssi", "capture what each radio received, with its signal strength"))
    .addOption(option("--wireshark-profile <dir>", "write a Wireshark profile that decodes the capture correctly"))
    .addOption(option("--ping <node>", "ping a mote from the host").argParser(nodeId))
    .addOption(option("--count <n>", "how often").argParser(integer(1, 100_000)).default(5))
    .addOption(option("--traceroute <node>", "trace the route to a mote").argParser(nodeId))
    .addOption(option("--neighbors", "the border router's neighbours"))
    .addOption(option("--routes", "the border router's routes"))
    .addOption(option("--page", "the border router's page in the form of Contiki's"))
    .addOption(option("--speed <x>", "run at most at this multiple of real time").argParser(positive))
    .addOption(option("--json", "print one JSON document instead of text"))
    .addOption(option("--report <dir>", "write report.html and report.json into that folder"))
    .addOption(option("--sweep <key=v1,v2,…>", "compare runs with several values, such as medium.rx=0.7,0.8"))
    .addOption(
        option("--runs <n>", "number of runs for each value, each with another seed").argParser(integer(1, 1000)),
    )
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
        check(options)
        const scenario = loadScenario(name)
        for (const id of [options.ping, options.traceroute])
            if (id !== undefined && !nodesOf(scenario).includes(id)) throw new UserError(`there is no mote ${id}`, 2)
        const { sweep, wiresharkProfile } = options
        if (wiresharkProfile !== undefined) writeWiresharkProfile(wiresharkProfile, contextsOf(scenario))
        if (sweep !== undefined) await runSweep(name, scenario, { ...options, sweep })
        else if (isService(options)) await serve(scenario, options)
        else await run(name, scenario, options)
    })

/** @throws UserError if options exclude each other */
function check(options: Options): void {
    const { web, json, report, runs, sweep, rssi, pcap } = options
    const isAsked = isAnyAsked(options)
    const isServed = isService(options)
    if (web !== undefined && (isAsked || json)) throw new UserError("--web: questions are asked in the page", 2)
    if (isServed && (isAsked || json || report !== undefined))
        throw new UserError("--coap-port, --http-port, --web: no questions, --json, --report", 2)
    if (runs !== undefined && sweep === undefined) throw new UserError("--runs: only with --sweep", 2)
    if (rssi && pcap === undefined) throw new UserError("--rssi: only with --pcap", 2)
    if (sweep !== undefined && (isAsked || pcap !== undefined || isServed))
        throw new UserError("--sweep: no questions, --pcap, --web or ports", 2)
}

function isService({ web, coapPort, httpPort }: Options): boolean {
    return web !== undefined || coapPort !== undefined || httpPort !== undefined
}

async function startOptions({ motes = [] }: Scenario, { seed, threads, pcap, rssi, runtime }: Options) {
    const hasSilicon = motes.some(({ silicon }) => silicon !== undefined)
    return {
        ...(hasSilicon && { silicon: await siliconStarter(await readRuntime(runtime)) }),
        ...(seed === undefined ? {} : { seed }),
        ...(threads === undefined ? {} : { threads }),
        ...(pcap === undefined ? {} : { capture: { file: pcap, withRssi: rssi ?? false } }),
    }
}

/**
 * Serves the simulation to browsers and its motes to clients until a signal stops it, beyond the scenario's duration.
 */
async function serve(scenario: Scenario, options: Options): Promise<void> {
    await withSimulation(scenario, await startOptions(scenario, options), async simulation => {
        const service = await serveSimulation(simulation, options)
        for (const url of service.urls) console.log(url)
        for (const { id, path } of service.motes) console.log(`mote ${id} ${path}/status`)
        const stopped = runUntilStopped(service.close)
        try {
            await Promise.race([stopped, service.running.then(() => stopped)])
        } finally {
            await service.close()
        }
    })
}

async function run(name: string, scenario: Scenario, options: Options): Promise<void> {
    const { until, speed, report, json } = options
    const print = json ? () => {} : (line: string) => console.log(line)
    const show = progressLine()
    const stop = new AbortController()
    let signal: keyof typeof exitCodes | undefined
    const signals = onSignal(first => {
        signal = first
        stop.abort()
    })
    try {
        const result = await runScenario(scenario, {
            ...(await startOptions(scenario, options)),
            ...(until === undefined ? {} : { until }),
            ...(speed === undefined ? {} : { speed }),
            ...(report === undefined ? {} : { report: { folder: report, name } }),
            ...{ questions: options, signal: stop.signal, print },
            progress: (now, end, times) => show(`${now.toFixed(0)} of ${end} s, ${times.toFixed(0)}× real time`),
            arrived: state => {
                show("")
                if (!json) console.error(stateLine(state))
            },
        })
        const { summary, verdicts, answers, failures } = result
        if (summary) printSummary(summary, print)
        for (const { claim, holds, found } of verdicts) print(`${holds ? "holds" : "FAILS"}  ${claim}: ${found}`)
        if (json) console.log(JSON.stringify(answers ?? { ...summary, verdicts }))
        if (signal) throw new UserError(`${signal}: stopped before the end, nothing was checked`, exitCodes[signal])
        const failed = [...failures, ...failedClaims(verdicts)]
        if (failed.length) throw new UserError(failed.join("; "))
    } finally {
        show("")
        signals.ignore()
    }
}

function stateLine({ borderRouter, host, motes, seconds }: RunState): string {
    const count = `${motes} ${motes === 1 ? "mote" : "motes"}`
    return `border router ${borderRouter}, host ${host}, ${count}, ${seconds.toFixed(0)} s`
}

function failedClaims(verdicts: Verdict[]): string[] {
    return verdicts.filter(({ holds }) => !holds).map(({ claim, found }) => `does not hold: ${claim}: ${found}`)
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
    for (const line of table(columns, rows)) print(line)
}
