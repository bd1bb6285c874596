import { Worker } from "node:worker_threads"
import { UserError } from "../../host/errors.ts"
import type { VirtualClock } from "../time/clock.ts"
import { portMs, type MoteEvent, type MoteCommand, type RunShard, type ShardOptions } from "./messages.ts"
import type { StartSilicon } from "../mote/silicon.ts"
import { Shard } from "./shard.ts"

/** A thread's response: the events of a window, or the reason why it has failed. */
export type Answer = { events: MoteEvent[] } | { reason: string; isUserError: boolean }

export interface ShardsOptions extends ShardOptions {
    /** The clock of the network. */
    clock: VirtualClock
    /** Threads besides this one. 0: everything runs in this one. */
    threads: number
    /** The motes that run on emulated boards, and how such a mote starts. */
    silicon?: { ids: ReadonlySet<number>; start: StartSilicon }
    take: (event: MoteEvent) => void
    /** Called before commands are handed over. */
    due: () => void
}

/**
 * Windows per message latency. With more than one, a slow shard does not block the others or the network at once; with
 * many, the handover takes longer than the work.
 */
const windows = 2
const windowMs = portMs / windows

/** Runs all shards in step with the network's clock, one window at a time. */
export class Shards {
    private readonly options: ShardsOptions
    private readonly shards: RunShard[]
    private readonly workers: Worker[] = []
    private readonly commands: MoteCommand[][]
    /** How many of the shards share the motes that run in DeviceScript's VM. */
    private readonly virtual: number
    /** Windows in progress, oldest first. */
    private readonly underWay: Promise<MoteEvent[][]>[] = []
    /** End of the last window that the shards have begun. */
    private endMs: number
    private timer: unknown

    constructor(options: ShardsOptions) {
        this.options = options
        const { startMs, seed, image, threads, silicon } = options
        const own = { startMs, seed, image }
        this.endMs = startMs
        this.shards = Array.from({ length: Math.max(1, threads) }, () => {
            if (threads > 0) return this.startThread(own)
            const shard = new Shard(own)
            return (until, commands) => shard.run(until, commands)
        })
        this.virtual = this.shards.length
        if (silicon) {
            const shard = new Shard(own, silicon.start)
            this.shards.push((until, commands) => shard.run(until, commands))
        }
        this.commands = this.shards.map(() => [])
    }

    /** Hands over a command at the end of the window. */
    command(command: MoteCommand): void {
        const { virtual } = this
        const shard = this.options.silicon?.ids.has(command.id) ? virtual : command.id % virtual
        this.commands[shard]!.push(command)
    }

    /** Starts the first windows; later commands cannot affect them. */
    begin(): void {
        for (let i = 0; i < windows; i++) this.startWindow()
        this.schedule()
    }

    async close(): Promise<void> {
        this.options.clock.cancel(this.timer)
        for (const window of this.underWay) await window.catch(() => {})
        for (const worker of this.workers) await worker.terminate()
    }

    private schedule(): void {
        const { clock } = this.options
        this.timer = clock.schedule(() => {
            this.schedule()
            clock.hold(this.exchange())
        }, windowMs)
    }

    /** A window of the network is over: its commands are handed over, and the events of the next are awaited. */
    private async exchange(): Promise<void> {
        const { clock, take, due } = this.options
        due()
        this.startWindow()
        if (this.underWay.length < 2 * windows) return
        const events = (await this.underWay.shift()!).flat()
        events.sort((a, b) => a.at - b.at || a.id - b.id)
        for (const one of events) clock.setTimeout(() => take(one), one.at + portMs - clock.now())
    }

    private startWindow(): void {
        this.endMs += windowMs
        const runs = this.shards.map((run, i) => run(this.endMs, this.commands[i]!.splice(0)))
        const window = Promise.all(runs)
        window.catch(() => {}) // reported when it is awaited
        this.underWay.push(window)
    }

    private startThread(options: ShardOptions): RunShard {
        const worker = new Worker(new URL("./thread.mjs", import.meta.url), {
            workerData: options,
            execArgv: [],
        })
        this.workers.push(worker)
        const waiting: { resolve: (what: MoteEvent[]) => void; reject: (why: Error) => void }[] = []
        const next = () => {
            if (waiting.length === 1) worker.unref() // it does not keep the process alive
            return waiting.shift()
        }
        worker.unref()
        let why: Error | undefined
        const died = (error: Error) => {
            why ??= error
            while (waiting.length) next()!.reject(why)
        }
        worker.on("error", died)
        worker.on("exit", () => died(new Error("a thread of the simulator has ended")))
        worker.on("message", (answer: Answer) => {
            if ("events" in answer) return next()?.resolve(answer.events)
            const { reason, isUserError } = answer
            next()?.reject(isUserError ? new UserError(reason) : new Error(reason))
        })
        return (until, commands) =>
            new Promise((resolve, reject) => {
                if (why) return reject(why)
                waiting.push({ resolve, reject })
                worker.ref()
                worker.postMessage({ until, commands })
            })
    }
}
