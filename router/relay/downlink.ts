import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { NoResponseError } from "../coap/connection.ts"
import { Code, codeClass, ContentFormat, dotted } from "../coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../coap/options.ts"
import type { ConnectedMote } from "./motes.ts"
import { refusalOf } from "./refusal.ts"
import { nameOf, type Waiting } from "./waiting.ts"

/** How long a response counts, because it is not authenticated. Only the mote's own report to the clinic is final. */
const believedMs = 60_000

/** A request to a mote with a message that the clinic sealed. */
interface Sealed {
    code: number
    path: string
    payload: Uint8Array
}

/**
 * Sends configurations and commands from the clinic to motes over their own connections (docs/wire.md, "CoAP"). It does
 * so when a mote connects, when the clinic has something new, and at each envelope while something waits for a
 * response. The mote reports the result to the clinic itself. Until then a configuration is sent again from time to
 * time, because the response may have been forged.
 */
export class Downlink {
    private readonly clock: Clock
    private readonly waiting: Waiting
    private readonly log: Log
    /** The messages that a mote has responded to on its connection, and the times of the responses by `elapsedMs`. */
    private readonly answered = new WeakMap<ConnectedMote, Map<string, number>>()
    /** By mote and message, what came of the latest attempt; the messages of a mote are few. */
    private readonly outcomes = new Map<string, Map<string, string>>()
    private readonly busy = new WeakSet<ConnectedMote>()

    constructor(o: { clock: Clock; waiting: Waiting; log: Log }) {
        this.clock = o.clock
        this.waiting = o.waiting
        this.log = o.log
    }

    /** Sends what the mote has not responded to yet. */
    async sendPending(mote: ConnectedMote): Promise<void> {
        if (this.busy.has(mote)) return
        this.busy.add(mote)
        for (let next = this.next(mote); next; next = this.next(mote)) if (!(await this.send(mote, next))) break
        this.busy.delete(mote)
    }

    /** The mote's latest response to a message, dotted, or why there was none; undefined before the first attempt. */
    outcome(eui: string, payload: Uint8Array): string | undefined {
        return this.outcomes.get(eui)?.get(nameOf(payload))
    }

    private note(eui: string, payload: Uint8Array, outcome: string): void {
        const waiting = new Set(this.waiting.of(eui).map(message => nameOf(message.payload)))
        const kept = [...(this.outcomes.get(eui) ?? [])].filter(([name]) => waiting.has(name))
        this.outcomes.set(eui, new Map([...kept, [nameOf(payload), outcome]]))
    }

    /** Sends one message. Returns true if the mote gave a final response, positive or negative. */
    private async send(mote: ConnectedMote, { code, path, payload }: Sealed): Promise<boolean> {
        const { eui, connection } = mote
        const contentFormat = uintOption(OptionNumber.ContentFormat, ContentFormat.coseMac0)
        const options = [...pathOptions(path), contentFormat]
        try {
            const response = await connection.request(code, { options, payload })
            const refusal = refusalOf(response)
            this.note(eui, payload, refusal ? refusal.code : dotted(response.code))
            this.log.info(
                { mote: eui, path, code: dotted(response.code), ...(refusal && { refusal }) },
                "sent to the mote",
            )
            if (codeClass(response.code) === 5) return false
        } catch (error) {
            if (!(error instanceof NoResponseError)) throw error
            this.log.debug({ mote: eui, path, reason: error.message }, "not sent to the mote")
            this.note(eui, payload, error.why)
            if (error.why !== "tooLarge") return false
        }
        this.answeredBy(mote).set(nameOf(payload), elapsedMs(this.clock))
        return true
    }

    /** Returns the next message for a mote. */
    private next(mote: ConnectedMote): Sealed | undefined {
        const next = this.waiting.of(mote.eui).find(({ what, payload }) => {
            const answeredAt = this.answeredBy(mote).get(nameOf(payload))
            if (answeredAt === undefined) return true
            return what === "config" && elapsedMs(this.clock) - answeredAt >= believedMs
        })
        return next && { ...targets[next.what], payload: next.payload }
    }

    private answeredBy(mote: ConnectedMote): Map<string, number> {
        const answered = this.answered.get(mote) ?? new Map<string, number>()
        this.answered.set(mote, answered)
        return answered
    }
}

const targets = {
    config: { code: Code.PUT, path: "/config" },
    identify: { code: Code.POST, path: "/identify" },
    clear: { code: Code.DELETE, path: "/readings" },
} as const
