import type { Log } from "../host/log.ts"
import type { Alarm, Alarms } from "./alarms/alarms.ts"
import type { Observation, Observations } from "./readings/observations.ts"

const pageSize = 1000

/** Tells all who listen what is new, read once for all of them, one reading at a time. */
class Live<News> {
    private readonly news: () => AsyncIterable<News>
    private readonly what: string
    private readonly log: Log
    private readonly listeners = new Set<(news: News) => void>()
    private reading: Promise<void> | undefined
    private again = false

    /** @param what it is that is read, for the log */
    constructor(what: string, news: () => AsyncIterable<News>, log: Log) {
        this.what = what
        this.news = news
        this.log = log
    }

    /** Returns how to stop it. */
    subscribe(listener: (news: News) => void): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    get listenerCount(): number {
        return this.listeners.size
    }

    /** Something changed: reads it and passes it on. Never throws; what failed comes with the next call. */
    async notify(): Promise<void> {
        this.again = true
        this.reading ??= this.read()
        await this.reading
    }

    private async read(): Promise<void> {
        try {
            while (this.again) {
                this.again = false
                for await (const news of this.news()) for (const listener of this.listeners) listener(news)
            }
        } catch (error) {
            this.log.error({ reason: (error as Error).message }, `cannot read ${this.what}`)
        } finally {
            this.reading = undefined // at once: the next call has to begin anew
        }
    }
}

/** Every vital sign as it arrives, in the order of their ids, each once. */
export class LiveObservations extends Live<Observation[]> {
    /** @param newest the id from which on to tell */
    constructor(observations: Observations, newest: number, log: Log) {
        super(
            "what is new",
            async function* () {
                for (let isMore = true; isMore;) {
                    const found = await observations.since(newest, pageSize)
                    isMore = found.length === pageSize
                    if (found.length === 0) return
                    newest = found.at(-1)!.id
                    yield found
                }
            },
            log,
        )
    }
}

/** All alarms that belong on the screen, whenever one of them may have changed. */
export class LiveAlarms extends Live<Alarm[]> {
    constructor(alarms: Alarms, log: Log) {
        super(
            "the alarms",
            async function* () {
                yield await alarms.open()
            },
            log,
        )
    }
}
