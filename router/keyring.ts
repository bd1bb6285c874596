import type { Clock, Timer } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { RouterStore } from "./store.ts"

/** The clinic is asked for its motes' keys that often, … */
export const refreshMs = 60_000
/** … and no sooner after the last answer, however many unknown motes show up. */
export const refreshPauseMs = 5_000

/**
 * The keys of the motes this router serves: from its store at once, from the clinic as soon as that answers. Only timers
 * say when to ask: the time of day may step, by years when a machine without a battery learns it.
 */
export class Keyring {
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly clinic: ClinicLink
    private readonly log: Log
    private readonly closing = new AbortController()
    private byEui: Map<string, RouterKeys>
    private state: "asking" | "pausing" | "resting" = "asking"
    /** Somebody unknown showed up during the pause. */
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

    /** The keys of the mote with this `eui`. A mote nobody knows makes the ring ask the clinic, soon. */
    find(eui: string): RouterKeys | undefined {
        const keys = this.byEui.get(eui)
        if (!keys) this.refreshSoon()
        return keys
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
        } catch (error) {
            const { message: reason } = error as Error
            if (!this.closing.signal.aborted)
                this.log.warn({ reason }, "no new keys from the clinic: keeping ours")
        }
        if (this.closing.signal.aborted) return
        this.state = "pausing"
        this.timer = this.clock.setTimeout(() => this.rest(), refreshPauseMs)
    }

    private rest(): void {
        this.state = "resting"
        if (this.isWanted) void this.refresh()
        else this.timer = this.clock.setTimeout(() => void this.refresh(), refreshMs - refreshPauseMs) // prettier-ignore
    }

    private replace(keys: RouterKeys[]): void {
        if (this.closing.signal.aborted) return
        const byEui = index(keys)
        if (areSame(this.byEui, byEui)) return
        this.store.replaceKeys([...byEui.values()])
        this.byEui = byEui
        this.log.info({ motes: byEui.size }, "keys updated")
    }
}

function index(keys: RouterKeys[]): Map<string, RouterKeys> {
    return new Map(keys.map(key => [eui(key.kid), key]))
}

function areSame(a: Map<string, RouterKeys>, b: Map<string, RouterKeys>): boolean {
    if (a.size !== b.size) return false
    return [...a].every(([eui, mine]) => {
        const theirs = b.get(eui)
        return (
            theirs !== undefined &&
            mine.config === theirs.config &&
            (["upMac", "receipt", "mqtt"] as const).every(k => Buffer.compare(mine[k], theirs[k]) === 0) // prettier-ignore
        )
    })
}
