import { Worker } from "node:worker_threads"
import { UserError } from "../../host/errors.ts"
import type { VirtualClock } from "../vm/clock.ts"
import { portMs, type Happening, type Order, type RunShard, type ShardOptions } from "./messages.ts"
import { Shard } from "./shard.ts"

/** What a thread answers: what happened, or why it cannot go on. */
export type Answer = { happenings: Happening[] } | { reason: string; isUserError: boolean }

export interface ShardsOptions extends ShardOptions {
    /** Of the network. */
    clock: VirtualClock
    /** Threads beside this one; with none, this one does all. */
    threads: number
    take: (happening: Happening) => void
    /** Before orders are handed over. */
    due: () => void
}

/** Lets all shards run at the pace of the network's clock, a window of `portMs` at a time. */
export class Shards {
    private readonly options: ShardsOptions
    private readonly shards: RunShard[]
    private readonly workers: Worker[] = []
    private readonly orders: Order[][]
    private underWay: Promise<Happening[][]> = Promise.resolve([])
    private timer: unknown

    constructor(options: ShardsOptions) {
        this.options = options
        const { startMs, seed, image, threads } = options
        const own = { startMs, seed, image }
        this.shards = Array.from({ length: Math.max(1, threads) }, () => {
            if (threads > 0) return this.startThread(own)
            const shard = new Shard(own)
            return (until, orders) => shard.run(until, orders)
        })
        this.orders = this.shards.map(() => [])
    }

    /** Hands an order over, at the end of the window. */
    order(order: Order): void {
        this.orders[order.id % this.shards.length]!.push(order)
    }

    /** The first window begins. */
    begin(): void {
        this.options.clock.hold(this.exchange())
    }

    async close(): Promise<void> {
        this.options.clock.cancel(this.timer)
        await this.underWay.catch(() => {})
        for (const worker of this.workers) await worker.terminate()
    }

    /** A window is over here; when it is over on the other side, too, what was said goes both ways, and the next begins. */
    private async exchange(): Promise<void> {
        const { clock, take, due } = this.options
        const happenings = (await this.underWay).flat()
        happenings.sort((a, b) => a.at - b.at || a.id - b.id)
        for (const one of happenings)
            clock.setTimeout(() => take(one), one.at + portMs - clock.now())
        due()
        const until = clock.now() + portMs
        const runs = this.shards.map((run, i) => run(until, this.orders[i]!.splice(0)))
        this.underWay = Promise.all(runs)
        this.underWay.catch(() => {}) // told when it is awaited
        this.timer = clock.schedule(() => clock.hold(this.exchange()), portMs)
    }

    private startThread(options: ShardOptions): RunShard {
        const worker = new Worker(new URL("./thread.mjs", import.meta.url), {
            workerData: options,
            execArgv: [],
        })
        this.workers.push(worker)
        return (until, orders) =>
            new Promise((resolve, reject) => {
                worker.ref() // only while it is waited for: it keeps nobody from leaving
                const over = () => {
                    worker.unref()
                    worker.off("error", failed).off("message", answered)
                }
                const failed = (error: Error) => {
                    over()
                    reject(error)
                }
                const answered = (answer: Answer) => {
                    over()
                    if ("happenings" in answer) return resolve(answer.happenings)
                    const { reason, isUserError } = answer
                    reject(isUserError ? new UserError(reason) : new Error(reason))
                }
                worker.on("error", failed).on("message", answered)
                worker.postMessage({ until, orders })
            })
    }
}
