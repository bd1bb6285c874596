import type { Clock, Timer } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import { encodeKeys, maxWanted } from "../wire/batch.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { RouterStore } from "./store/store.ts"
import { Strangers } from "./strangers.ts"

/** The interval at which the router requests changes of its motes' keys and their pending messages from the clinic. */
export const refreshMs = 10_000
/** The minimum pause between two requests for the keys of new motes, however many appear. */
export const askPauseMs = 1_000
/** The pause after a failed request for such keys. */
export const retryMs = 5_000

/** The state of a mote without keys: the clinic does not know it, has not responded yet, or cannot be reached. */
export type Stranger = "unknownKid" | "keysAwaited" | "clinicAway"

/** What a keyring needs of the store. */
export type KeyStore = Pick<RouterStore, "keys" | "changeKeys"> & {
    /** Whether this clinic's keys of a mote count; by default all do. */
    mayKeep?: (eui: string) => boolean
}

/** Who has the keys of motes, of one clinic or several. */
export type MoteKeyring = Pick<Keyring, "motes" | "find" | "findAll" | "ask" | "subscribe">

/**
 * The keys of the motes that have appeared at this router. They come from the store at first, and from the clinic when a
 * mote is new. Requests depend on timers only, because the time of day may step, by years on a machine without a
 * battery-backed clock.
 */
export class Keyring {
    private readonly clock: Clock
    private readonly store: KeyStore
    private readonly clinic: ClinicLink
    private readonly log: Log
    private readonly closing = new AbortController()
    private readonly listeners = new Set<KeysListener>()
    private readonly strangers: Strangers
    /** Keys by mote, in the order of the clinic: the older secret first. */
    private byEui: Map<string, RouterKeys[]>
    /** The clinic's latest response. An unchanged one may be the same object. */
    private answer: RouterKeys[] | undefined
    private isOutOfReach = false
    /** The latest exchange. The next one starts after it, so that no response is older than the keys it replaces. */
    private last: Promise<void> = Promise.resolve()
    private isAsking = false
    private refreshTimer: Timer
    private askTimer: Timer

    constructor(o: { clock: Clock; store: KeyStore; clinic: ClinicLink; log: Log }) {
        this.clock = o.clock
        this.store = o.store
        this.clinic = o.clinic
        this.log = o.log
        this.strangers = new Strangers(o.clock)
        this.byEui = index(this.store.keys())
        this.refresh()
    }

    /** The `eui`s of the motes whose keys are here. */
    get motes(): string[] {
        return [...this.byEui.keys()]
    }

    /** Returns the keys of the mote's oldest valid secret. */
    find(eui: string): RouterKeys | undefined {
        return this.findAll(eui)[0]
    }

    /**
     * Returns all keys of a mote: those of its oldest valid secret, then those of a newer one that it may already use.
     */
    findAll(eui: string): readonly RouterKeys[] {
        return this.byEui.get(eui) ?? []
    }

    /** Requests the keys of a mote that has appeared at this address, soon. Returns its state until then. */
    ask(eui: string, address: string): Stranger {
        if (!this.strangers.add(eui, address)) return "unknownKid"
        if (!this.isAsking) this.askNext()
        return this.isOutOfReach ? "clinicAway" : "keysAwaited"
    }

    /**
     * Calls `listener` with the `eui` of each mote whose keys, configuration or commands have changed, or that was
     * removed. Returns a function that unsubscribes.
     */
    subscribe(listener: KeysListener): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    close(): void {
        this.closing.abort()
        this.clock.clearTimeout(this.refreshTimer)
        this.clock.clearTimeout(this.askTimer)
    }

    private refresh(): void {
        void this.exchange(async signal => this.replace(await this.clinic.keys(signal))).then(() => {
            if (!this.closing.signal.aborted) this.refreshTimer = this.clock.setTimeout(() => this.refresh(), refreshMs)
        })
    }

    private askNext(): void {
        if (this.closing.signal.aborted) return
        this.isAsking = true
        void this.exchange(async signal => {
            const euis = this.strangers.take(maxWanted)
            const wanted = new Set(euis)
            const keys = await this.clinic.keysOf(
                euis.map(name => Buffer.from(name, "hex")),
                signal,
            )
            const found = index(this.mine(keys).filter(({ kid }) => wanted.has(eui(kid))))
            this.strangers.deny(euis.filter(name => !found.has(name)))
            this.change([...found.keys()], found)
            // The next response must be compared with these new keys, even if it is the same object as before.
            this.answer = undefined
        }).then(isAnswered => {
            if (this.closing.signal.aborted) return
            this.askTimer = this.clock.setTimeout(
                () => {
                    this.isAsking = false
                    if (this.strangers.size > 0) this.askNext()
                },
                isAnswered ? askPauseMs : retryMs,
            )
        })
    }

    /** Runs an exchange with the clinic after the previous one. Returns true if the clinic responded. */
    private async exchange(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
        const { signal } = this.closing
        let isAnswered = false
        this.last = this.last.then(async () => {
            if (signal.aborted) return
            try {
                await work(signal)
                isAnswered = true
                this.isOutOfReach = false
            } catch (error) {
                const { message: reason } = error as Error
                if (!signal.aborted && !this.isOutOfReach)
                    this.log.warn({ reason }, "cannot get keys from the clinic: keeping the old ones")
                this.isOutOfReach = true
            }
        })
        await this.last
        return isAnswered
    }

    /** Replaces all keys. */
    private replace(keys: RouterKeys[]): void {
        if (keys === this.answer) return
        const byEui = index(this.mine(keys))
        this.change([...new Set([...this.byEui.keys(), ...byEui.keys()])], byEui)
        this.answer = keys
    }

    private mine(keys: RouterKeys[]): RouterKeys[] {
        const { mayKeep } = this.store
        return mayKeep ? keys.filter(({ kid }) => mayKeep(eui(kid))) : keys
    }

    /** Replaces the keys of these motes by those in `byEui`. */
    private change(euis: string[], byEui: Map<string, RouterKeys[]>): void {
        if (this.closing.signal.aborted) return
        const changed = euis.filter(name => !areSame(this.byEui.get(name), byEui.get(name)))
        if (changed.length === 0) return
        this.store.changeKeys(
            changed.map(name => Buffer.from(name, "hex")),
            changed.flatMap(name => byEui.get(name) ?? []),
        )
        for (const name of changed) {
            const keys = byEui.get(name)
            if (keys) this.byEui.set(name, keys)
            else this.byEui.delete(name)
        }
        this.log.info({ motes: this.byEui.size, changed: changed.length }, "keys updated")
        for (const name of changed) for (const listener of this.listeners) listener(name)
    }
}

export type KeysListener = (eui: string) => void

function index(keys: RouterKeys[]): Map<string, RouterKeys[]> {
    const byEui = new Map<string, RouterKeys[]>()
    for (const key of keys) {
        const name = eui(key.kid)
        byEui.set(name, [...(byEui.get(name) ?? []), key])
    }
    return byEui
}

function areSame(a: RouterKeys[] = [], b: RouterKeys[] = []): boolean {
    return a.length === b.length && Buffer.compare(encodeKeys(a), encodeKeys(b)) === 0
}
