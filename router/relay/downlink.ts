import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { NoResponseError } from "../coap/connection.ts"
import { Code, codeClass, ContentFormat, dotted } from "../coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../coap/options.ts"
import type { Keyring } from "../keyring.ts"
import type { ConnectedMote } from "./motes.ts"
import { refusalOf } from "./refusal.ts"

/** An answer is not authenticated: so long it is believed, unless the clinic has heard of the mote itself. */
const believedMs = 60_000

/** Something that the clinic sealed for a mote, and where it goes. */
interface Sealed {
    code: number
    path: string
    payload: Uint8Array
}

/**
 * Brings motes what the clinic has for them, configurations and commands, on their own connection (docs/wire.md, "CoAP"): when
 * they connect, when something new is there, and with an envelope of theirs where that is still to be answered. Whether it
 * was taken, the mote tells the clinic itself; until it has, a configuration is brought again now and then, as the
 * answer may have been somebody else's.
 */
export class Downlink {
    private readonly clock: Clock
    private readonly keyring: Keyring
    private readonly log: Log
    /** What a mote has answered on its connection, in hex, and when. */
    private readonly answered = new WeakMap<ConnectedMote, Map<string, number>>()
    private readonly busy = new WeakSet<ConnectedMote>()

    constructor(o: { clock: Clock; keyring: Keyring; log: Log }) {
        this.clock = o.clock
        this.keyring = o.keyring
        this.log = o.log
    }

    /** Brings what the mote has not answered yet. */
    async bring(mote: ConnectedMote): Promise<void> {
        if (this.busy.has(mote)) return
        this.busy.add(mote)
        for (let next = this.next(mote); next; next = this.next(mote)) if (!(await this.send(mote, next))) break
        this.busy.delete(mote)
    }

    /** Whether the mote had an answer, of whatever kind. */
    private async send(mote: ConnectedMote, { code, path, payload }: Sealed): Promise<boolean> {
        const { eui, connection } = mote
        const contentFormat = uintOption(OptionNumber.ContentFormat, ContentFormat.coseMac0)
        const options = [...pathOptions(path), contentFormat]
        try {
            const response = await connection.request(code, { options, payload })
            const refusal = refusalOf(response)
            this.log.info({ mote: eui, path, code: dotted(response.code), ...(refusal && { refusal }) }, "brought")
            if (codeClass(response.code) === 5) return false
        } catch (error) {
            if (!(error instanceof NoResponseError)) throw error
            this.log.debug({ mote: eui, path, reason: error.message }, "not brought")
            if (error.why !== "tooLarge") return false
        }
        this.answeredBy(mote).set(hex(payload), this.clock.now())
        return true
    }

    /** While a secret is being changed there may be something for the old one and for the new one. */
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
