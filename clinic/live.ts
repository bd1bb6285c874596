import type { Log } from "../host/log.ts"
import type { Observation, Observations } from "./observations.ts"

export type LiveListener = (observations: Observation[]) => void

const pageSize = 1000

/** Tells listeners of every vital sign as it arrives, in the order of their ids, each once. */
export class Live {
    private readonly observations: Observations
    private readonly log: Log
    private readonly listeners = new Set<LiveListener>()
    private newest: number
    private reading: Promise<void> | undefined
    private again = false

    /** `newest` is the id from which on to tell. */
    constructor(observations: Observations, newest: number, log: Log) {
        this.observations = observations
        this.newest = newest
        this.log = log
    }

    /** Returns how to stop it. */
    subscribe(listener: LiveListener): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    get listenerCount(): number {
        return this.listeners.size
    }

    /** Something was stored: reads what is new and passes it on. Never throws; what failed comes with the next call. */
    async notify(): Promise<void> {
        this.again = true
        this.reading ??= this.read()
        await this.reading
    }

    private async read(): Promise<void> {
        try {
            while (this.again) {
                this.again = false
                const found = await this.observations.since(this.newest, pageSize)
                if (found.length === 0) continue
                this.newest = found.at(-1)!.id
                this.again ||= found.length === pageSize
                for (const listener of this.listeners) listener(found)
            }
        } catch (error) {
            this.log.error({ reason: (error as Error).message }, "cannot read what is new")
        } finally {
            this.reading = undefined // at once: the next call has to begin anew
        }
    }
}
