import { parentPort, workerData } from "node:worker_threads"
import { UserError } from "../../host/errors.ts"
import type { Order, ShardOptions } from "./messages.ts"
import { Shard } from "./shard.ts"
import type { Answer } from "./shards.ts"

const shard = new Shard(workerData as ShardOptions)
const answer = (what: Answer) => parentPort!.postMessage(what)

parentPort!.on("message", ({ until, orders }: { until: number; orders: Order[] }) => {
    shard.run(until, orders).then(
        happenings => answer({ happenings }),
        (error: Error) => answer({ reason: error.message, isUserError: error instanceof UserError }),
    )
})
