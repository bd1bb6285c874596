import { here, LoggedOut, me, type Alarm, type Condition, type LiveData, type Observation, type Score } from "./api.ts"
import { setClock } from "./clock.ts"

export interface LiveEvents {
    observation(observation: Observation): void
    /** The ids of all that belong on the screen; the others are over. */
    openAlarms(ids: readonly number[]): void
    /** One that is new or has changed. */
    alarm(alarm: Alarm): void
    /** A NEWS2 that has changed. */
    score(score: Score): void
    /** What makes that which is shown wrong or incomplete. */
    conditions(conditions: readonly Condition[]): void
    /** Too much was missed: everything has to be loaded anew. */
    reset(): void
    connected(isConnected: boolean): void
    loggedOut(): void
}

/** The clinic sends a heartbeat every 3 s; when two are missing, the connection is gone without having said so. */
const silenceMs = 8000
const retryMs = 3000

/** The stream of new values. Reconnects by itself, for ever, and goes on where it was. */
export class Live {
    private readonly events: LiveEvents
    private newestId: number
    private source: EventSource | undefined
    private silence: number | undefined
    private retry: number | undefined
    private isClosed = false

    constructor(newestId: number, events: LiveEvents) {
        this.newestId = newestId
        this.events = events
        this.open()
    }

    /** With the session of now. */
    reopen(): void {
        this.open()
    }

    close(): void {
        this.isClosed = true
        this.drop()
    }

    private open(): void {
        if (this.isClosed) return
        this.drop()
        const source = new EventSource(here(`/api/live?since=${this.newestId}`))
        this.source = source
        const on = <Name extends keyof LiveData>(name: Name, handle: (data: LiveData[Name]) => void) =>
            source.addEventListener(name, event => {
                this.heard()
                handle(JSON.parse((event as MessageEvent<string>).data) as LiveData[Name])
            })
        on("time", ({ now, conditions }) => {
            setClock(now)
            this.events.conditions(conditions)
        })
        on("reset", () => this.events.reset())
        on("alarms", ({ open }) => this.events.openAlarms(open))
        on("alarm", alarm => this.events.alarm(alarm))
        on("score", score => this.events.score(score))
        on("observation", observation => {
            this.newestId = Math.max(this.newestId, observation.id)
            this.events.observation(observation)
        })
        source.addEventListener("error", () => void this.failed())
        this.watch()
    }

    private heard(): void {
        this.events.connected(true)
        this.watch()
    }

    private watch(): void {
        clearTimeout(this.silence)
        this.silence = window.setTimeout(() => void this.failed(), silenceMs)
    }

    /** An EventSource gives up on some answers and on others not: always start over here. */
    private async failed(): Promise<void> {
        if (this.isClosed) return
        this.drop()
        this.events.connected(false)
        try {
            await me()
        } catch (error) {
            if (error instanceof LoggedOut && !this.isClosed) return this.events.loggedOut()
        }
        this.retry = window.setTimeout(() => this.open(), retryMs)
    }

    private drop(): void {
        this.source?.close()
        clearTimeout(this.silence)
        clearTimeout(this.retry)
    }
}
