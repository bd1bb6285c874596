import { availableParallelism } from "node:os"
import { CaptureWriter } from "../capture/writer.ts"
import { formatAddress } from "../net/ipv6.ts"
import { reportFolder } from "../report/output.ts"
import { reportPage } from "../report/page.ts"
import { Recorder } from "../report/recorder.ts"
import { reportOf } from "../report/report.ts"
import { nodesOf } from "../scenario/load.ts"
import type { StartSilicon } from "../mote/silicon.ts"
import type { Scenario } from "../scenario/schema.ts"
import { judge, type Verdict } from "./judge.ts"
import { ask, isAnyAsked, settled, type Answers, type Questions } from "./questions.ts"
import { Runner } from "./runner.ts"
import { Simulation } from "./simulation.ts"
import { summary, type Summary } from "./summary.ts"

export interface StartOptions {
    seed?: number
    /** Threads besides the network's. Default: by number of motes and cores. */
    threads?: number
    /** For motes on emulated boards. */
    silicon?: StartSilicon
    /** Capture file for every frame; with `withRssi` once for each radio that received it. */
    capture?: { file: string; withRssi: boolean }
}

export interface RunOptions extends StartOptions {
    /** Simulated time in seconds. Default: the scenario's duration. */
    until?: number
    /** Maximum speed as a multiple of real time. */
    speed?: number
    questions?: Questions
    /** Folder for the report, and the scenario as named on the command line. */
    report?: { folder: string; name: string }
    /** Ends the run early; what is known by then is reported. */
    signal?: AbortSignal
    /** @param endS end of the run @param speed measured, as a multiple of real time */
    progress?: (nowS: number, endS: number, speed: number) => void
    /** The end of the run has been reached. */
    arrived?: (state: RunState) => void
    /** Called with each line of output of ping, traceroute and the like. */
    print?: (line: string) => void
}

/** State of a run. */
export interface RunState {
    borderRouter: string
    host: string
    motes: number
    seconds: number
}

export interface RunResult {
    /** Absent if there were queries. */
    summary?: Summary
    verdicts: Verdict[]
    answers?: Answers
    /** Pings without a reply. */
    failures: string[]
    wasStopped: boolean
}

/** Runs a scenario to its end. @throws UserError if a file cannot be written or a mote cannot be started */
export async function runScenario(scenario: Scenario, o: RunOptions = {}): Promise<RunResult> {
    const { until, speed, questions = {}, report, signal, progress, print = () => {} } = o
    // An unwritable folder is reported before the run, not after it.
    const writeReport = report && reportFolder(report.folder)
    return await withSimulation(scenario, o, async simulation => {
        const recorder = writeReport && new Recorder(simulation)
        if (recorder) simulation.observers.add(recorder)
        const endS = until ?? scenario.duration
        const isAsked = isAnyAsked(questions)
        const isEnough = isAsked && until === undefined ? settled(simulation) : () => false
        const runner = new Runner(simulation, speed)
        signal?.addEventListener("abort", () => runner.stop())
        if (signal?.aborted) runner.stop()
        await runner.runTo(endS, isEnough, (now, times) => progress?.(now, endS, times))
        const wasStopped = signal?.aborted ?? false
        o.arrived?.(stateOf(simulation))
        const result: RunResult = { verdicts: [], failures: [], wasStopped }
        if (isAsked && !wasStopped) {
            const { answers, failures } = await ask(simulation, questions, print)
            Object.assign(result, { answers, failures })
        } else {
            result.summary = summary(simulation)
            if (!wasStopped) result.verdicts = await judge(simulation)
        }
        if (report && recorder) {
            const name = until === undefined ? report.name : `${report.name} --until ${until}`
            const contents = reportOf(simulation, recorder, result.verdicts, name)
            writeReport!(reportPage(contents), contents)
        }
        return result
    })
}

/** Starts a simulation, and stops it however `work` ends, which closes the capture. @throws UserError */
export async function withSimulation<T>(
    scenario: Scenario,
    { seed, threads = usualThreads(scenario), silicon, capture: file }: StartOptions,
    work: (simulation: Simulation) => Promise<T>,
): Promise<T> {
    const capture = file && new CaptureWriter(file.file, file.withRssi)
    try {
        const simulation = await Simulation.start(scenario, {
            ...(seed === undefined ? {} : { seed }),
            ...(silicon && { silicon }),
            threads,
        })
        if (capture) simulation.observers.add(capture)
        try {
            return await work(simulation)
        } finally {
            await simulation.stop()
        }
    } finally {
        capture?.close()
    }
}

function stateOf(simulation: Simulation): RunState {
    const { root, host, motes } = simulation
    return {
        borderRouter: formatAddress(root.ipv6.addresses[0]!),
        host: formatAddress(host.address),
        motes: motes.size,
        seconds: simulation.now(),
    }
}

/** With fewer motes per thread, threads mostly wait for each other. */
const motesPerThread = 10

function usualThreads(scenario: Scenario): number {
    const threads = Math.min(availableParallelism(), Math.floor(nodesOf(scenario).length / motesPerThread))
    return threads > 1 ? threads : 0
}
