import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { NoResponseError } from "../coap/connection.ts"
import { Code, codeClass, ContentFormat, dotted } from "../coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../coap/options.ts"
import type { Keyring } from "../keyring.ts"
import type { ConnectedMote } from "./motes.ts"
import { refusalOf } from "./refusal.ts"

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
    private readonly keyring: Keyring
    private readonly log: Log
    /** The messages that a mote has responded to on its connection, in hex, and the times of the responses. */
    private readonly answered = new WeakMap<ConnectedMote, Map<string, number>>()
    private readonly busy = new WeakSet<ConnectedMote>()

    constructor(o: { clock: Clock; keyring: Keyring; log: Log }) {
        this.clock = o.clock
        this.keyring = o.keyring
        this.log = o.log
    }

    /** Sends what the mote has not responded to yet. */
    async sendPending(mote: ConnectedMote): Promise<void> {
        if (this.busy.has(mote)) return
        this.busy.add(mote)
        for (let next = this.next(mote); next; next = this.next(mote)) if (!(await this.send(mote, next))) break
        this.busy.delete(mote)
    }

    /** Sends one message. Returns true if the mote gave a final response, positive or negative. */
    private async send(mote: ConnectedMote, { code, path, payload }: Sealed): Promise<boolean> {
        const { eui, connection } = mote
        const contentFormat = uintOption(OptionNumber.ContentFormat, ContentFormat.coseMac0)
        const options = [...pathOptions(path), contentFormat]
        try {
            const response = await connection.request(code, { options, payload })
            const refusal = refusalOf(response)
            this.log.info(
                { mote: eui, path, code: dotted(response.code), ...(refusal && { refusal }) },
                "sent to the mote",
            )
            if (codeClass(response.code) === 5) return false
        } catch (error) {
            if (!(error instanceof NoResponseError)) throw error
            this.log.debug({ mote: eui, path, reason: error.message }, "not sent to the mote")
            if (error.why !== "tooLarge") return false
        }
        this.answeredBy(mote).set(hex(payload), this.clock.now())
        return true
    }

    /**
     * Returns the next message for a mote. While its secret is being changed, there may be messages for both secrets.
     */
    private next(mote: ConnectedMote): Sealed | undefined {
        const waiting = this.keyring
            .findAll(mote.eui)
            .flatMap(({ sealedConfig, commands = [] }) => [
                ...(sealedConfig ? [{ code: Code.PUT, path: "/config", payload: sealedConfig }] : []),
                ...commands.map(({ name, sealed }) => ({ ...targets[name], payload: sealed })),
            ])
        return waiting.find(({ path, payload }) => {
            const answeredAt = this.answeredBy(mote).get(hex(payload))
            if (answeredAt === undefined) return true
            return path === "/config" && this.clock.now() - answeredAt >= believedMs
        })
    }

    private answeredBy(mote: ConnectedMote): Map<string, number> {
        const answered = this.answered.get(mote) ?? new Map<string, number>()
        this.answered.set(mote, answered)
        return answered
    }
}

const targets = {
    identify: { code: Code.POST, path: "/identify" },
    clear: { code: Code.DELETE, path: "/readings" },
} as const

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("hex")
}
