import { createHash } from "node:crypto"
import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { CommandName } from "../../wire/keys.ts"
import type { MoteKeyring } from "../keyring.ts"

/** By then nobody stands beside the mote any more: the clinic withdraws a command, and the router delivers none that is older. */
const commandMs = 600_000

/** A message of the clinic that waits for a mote. */
export interface WaitingMessage {
    what: "config" | CommandName
    /** The sealed envelope. */
    payload: Uint8Array
    /** When this router got it, by `elapsedMs`. */
    since: number
    /** By `elapsedMs`; a configuration does not expire. */
    expiresAt: number | undefined
}

/** What waits for motes, whether they are connected or asleep, and since when. */
export class Waiting {
    private readonly clock: Clock
    private readonly keyring: MoteKeyring
    /** By mote and message. */
    private readonly since = new Map<string, Map<string, number>>()

    constructor(o: { clock: Clock; keyring: MoteKeyring }) {
        this.clock = o.clock
        this.keyring = o.keyring
        for (const eui of o.keyring.motes) this.update(eui)
        o.keyring.subscribe(eui => this.update(eui))
    }

    /** The motes for which something waits. */
    get motes(): string[] {
        return [...this.since.keys()].filter(eui => this.of(eui).length > 0)
    }

    /**
     * Configurations first, then commands, the oldest first. While a mote's secret is being changed, there may be messages for both
     * secrets.
     */
    of(eui: string): WaitingMessage[] {
        const since = this.since.get(eui)
        const now = elapsedMs(this.clock)
        return this.messagesFor(eui).flatMap(({ what, payload }) => {
            const from = since?.get(nameOf(payload)) ?? now
            const expiresAt = what === "config" ? undefined : from + commandMs
            return expiresAt !== undefined && now >= expiresAt ? [] : [{ what, payload, since: from, expiresAt }]
        })
    }

    private update(eui: string): void {
        const before = this.since.get(eui)
        const messages = this.messagesFor(eui)
        if (messages.length === 0) this.since.delete(eui)
        else {
            const now = elapsedMs(this.clock)
            const names = messages.map(({ payload }) => nameOf(payload))
            this.since.set(eui, new Map(names.map(name => [name, before?.get(name) ?? now])))
        }
    }

    private messagesFor(eui: string): Pick<WaitingMessage, "what" | "payload">[] {
        return this.keyring
            .findAll(eui)
            .flatMap(({ sealedConfig, commands = [] }) => [
                ...(sealedConfig ? [{ what: "config" as const, payload: sealedConfig }] : []),
                ...commands.map(({ name, sealed }) => ({ what: name, payload: sealed })),
            ])
    }
}

/** Names a message; they are long, and few. */
export function nameOf(payload: Uint8Array): string {
    return createHash("sha256").update(payload).digest("base64url")
}
