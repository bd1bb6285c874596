import { randomBytes } from "node:crypto"
import { connect } from "node:net"
import type { Clock, Timer } from "../../host/clock.ts"
import { reasonOf } from "../../host/errors.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Log } from "../../host/log.ts"
import { socketStream } from "../../host/stream.ts"
import { CoapConnection } from "../coap/connection.ts"
import { Code, dotted, message } from "../coap/message.ts"
import { pathOptions } from "../coap/options.ts"
import type { Network } from "../browser/messages.ts"
import { parseNetwork } from "./network.ts"

const intervalMs = 10_000
const timeoutMs = 5_000
/** What is older is no longer shown. */
const staleMs = 60_000

/** Asks a 6LoWPAN border router for its `/rpl`, over CoAP and TCP, every ten seconds. `now` is undefined while it does not answer. */
export function watchNetwork({ host, port, clock, log }: { host: string; port: number; clock: Clock; log: Log }) {
    const failures = new LogSummary("the border router does not report its network", { clock, log, level: "warn" })
    let isClosed = false
    let timer: Timer
    let newest: { network: Network; at: number } | undefined
    const round = async () => {
        try {
            newest = { network: await askNetwork(host, port, clock, log), at: performance.now() }
        } catch (error) {
            failures.count(reasonOf(error))
        }
        if (!isClosed) timer = clock.setTimeout(() => void round(), intervalMs)
    }
    void round()
    return {
        get now(): Network | undefined {
            return newest && performance.now() - newest.at < staleMs ? newest.network : undefined
        },
        close: () => {
            isClosed = true
            clock.clearTimeout(timer)
        },
    }
}

async function askNetwork(host: string, port: number, clock: Clock, log: Log): Promise<Network> {
    const socket = connect({ host, port })
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), timeoutMs)
    try {
        await new Promise<void>((resolve, reject) => {
            socket.once("connect", resolve)
            socket.once("error", reject)
        })
        const connection = new CoapConnection({
            ...{ stream: socketStream(socket), clock, random: randomBytes, log },
            serve: () => message(Code.NotFound),
        })
        connection.start()
        const { code, payload } = await connection.request(Code.GET, { options: pathOptions("/rpl") })
        if (code !== Code.Content) throw new Error(`it answered ${dotted(code)}`)
        return parseNetwork(payload)
    } finally {
        clearTimeout(timer)
        socket.destroy()
    }
}
