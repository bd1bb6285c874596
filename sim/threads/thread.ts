import { parentPort, workerData } from "node:worker_threads"
import { UserError } from "../../host/errors.ts"
import type { MoteCommand, ShardOptions } from "./messages.ts"
import { Shard } from "./shard.ts"
import type { Answer } from "./shards.ts"

const shard = new Shard(workerData as ShardOptions)
const answer = (what: Answer) => parentPort!.postMessage(what)

parentPort!.on("message", ({ until, commands }: { until: number; commands: MoteCommand[] }) => {
    shard.run(until, commands).then(
        events => answer({ events }),
        (error: Error) => answer({ reason: error.message, isUserError: error instanceof UserError }),
    )
})
