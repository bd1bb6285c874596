import type { Clock, Timer } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import { encodeKeys } from "../wire/batch.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { RouterStore } from "./store/store.ts"

/** The interval at which the router requests the keys and pending messages of its motes from the clinic. */
export const refreshMs = 10_000
/** The minimum pause between two requests, however many unknown motes appear. */
export const refreshPauseMs = 5_000

/**
 * The keys of the motes that this router serves. They come from the store at first, and from the clinic as soon as it
 * responds. Refreshes depend on timers only, because the time of day may step, by years on a machine without a
 * battery-backed clock.
 */
export class Keyring {
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly clinic: ClinicLink
    private readonly log: Log
    private readonly closing = new AbortController()
    private readonly listeners = new Set<KeysListener>()
    /** Keys by mote, in the order of the clinic: the older secret first. */
    private byEui: Map<string, RouterKeys[]>
    /** The clinic's latest response. An unchanged one may be the same object. */
    private answer: RouterKeys[] | undefined
    private isOutOfReach = false
    private state: "asking" | "pausing" | "resting" = "asking"
    /** An unknown mote appeared during the pause. */
    private isWanted = false
    private timer: Timer

    constructor(o: { clock: Clock; store: RouterStore; clinic: ClinicLink; log: Log }) {
        this.clock = o.clock
        this.store = o.store
        this.clinic = o.clinic
        this.log = o.log
        this.byEui = index(this.store.keys())
        void this.refresh()
    }

    /** Returns the keys of the mote's oldest valid secret. An unknown mote triggers a refresh. */
    find(eui: string): RouterKeys | undefined {
        return this.findAll(eui)[0]
    }

    /**
     * Returns all keys of a mote: those of its oldest valid secret, then those of a newer one that it may already use.
     */
    findAll(eui: string): readonly RouterKeys[] {
        const keys = this.byEui.get(eui)
        if (!keys) this.refreshSoon()
        return keys ?? []
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
        this.clock.clearTimeout(this.timer)
    }

    private refreshSoon(): void {
        if (this.closing.signal.aborted) return
        if (this.state === "pausing") this.isWanted = true
        else if (this.state === "resting") void this.refresh()
    }

    private async refresh(): Promise<void> {
        this.clock.clearTimeout(this.timer)
        this.state = "asking"
        this.isWanted = false
        try {
            this.replace(await this.clinic.keys(this.closing.signal))
            this.isOutOfReach = false
        } catch (error) {
            const { message: reason } = error as Error
            if (!this.closing.signal.aborted && !this.isOutOfReach)
                this.log.warn({ reason }, "cannot get keys from the clinic: keeping the old ones")
            this.isOutOfReach = true
        }
        if (this.closing.signal.aborted) return
        this.state = "pausing"
        this.timer = this.clock.setTimeout(() => this.rest(), refreshPauseMs)
    }

    private rest(): void {
        this.state = "resting"
        if (this.isWanted) void this.refresh()
        else this.timer = this.clock.setTimeout(() => void this.refresh(), refreshMs - refreshPauseMs)
    }

    private replace(keys: RouterKeys[]): void {
        if (this.closing.signal.aborted || keys === this.answer) return
        const byEui = index(keys)
        const euis = new Set([...this.byEui.keys(), ...byEui.keys()])
        const changed = [...euis].filter(eui => !areSame(this.byEui.get(eui), byEui.get(eui)))
        if (changed.length > 0) {
            this.store.replaceKeys(keys)
            this.byEui = byEui
            this.log.info({ motes: byEui.size, changed: changed.length }, "keys updated")
        }
        this.answer = keys
        for (const eui of changed) for (const listener of this.listeners) listener(eui)
    }
}

type KeysListener = (eui: string) => void

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
