import type { Log } from "../host/log.ts"
import type { Alarm, Alarms } from "./alarms/alarms.ts"
import type { Observation, Observations } from "./readings/observations.ts"
import type { Changes } from "./store/store.ts"
import type { TableName } from "./store/schema.ts"

const pageSize = 1000

/** Where one hears that tables were written: the store. */
export interface ChangeSource {
    onChanged(listener: (changes: Changes) => void): () => void
}

interface LiveOptions<News> {
    /** The table that is read when it was written. */
    table: TableName
    /** What is new in it. */
    read: () => AsyncIterable<News>
    source: ChangeSource
    log: Log
}

/** Tells all who listen what is new in a table, read once for all of them, one reading at a time. */
class Live<News> {
    private readonly o: LiveOptions<News>
    private readonly listeners = new Set<(news: News) => void>()
    private reading: Promise<void> | undefined
    private again = false

    constructor(o: LiveOptions<News>) {
        this.o = o
        o.source.onChanged(changes => {
            if (changes.has(o.table)) this.changed()
        })
    }

    /** Returns how to stop it. */
    subscribe(listener: (news: News) => void): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    get listenerCount(): number {
        return this.listeners.size
    }

    /** Resolves when all that has been written is told. */
    async settled(): Promise<void> {
        await this.reading
    }

    /** What failed comes with the next change. */
    private changed(): void {
        this.again = true
        this.reading ??= this.read()
    }

    private async read(): Promise<void> {
        const { table, log } = this.o
        try {
            while (this.again) {
                this.again = false
                for await (const news of this.o.read()) for (const listener of this.listeners) listener(news)
            }
        } catch (error) {
            log.error({ table, reason: (error as Error).message }, "cannot read what is new")
        } finally {
            this.reading = undefined // at once: the next change has to begin anew
        }
    }
}

/** Every vital sign as it arrives, in the order of their ids, each once. */
export class LiveObservations extends Live<Observation[]> {
    /** @param newest the id from which on to tell */
    constructor(observations: Observations, newest: number, source: ChangeSource, log: Log) {
        async function* read() {
            for (let isMore = true; isMore;) {
                const found = await observations.since(newest, pageSize)
                isMore = found.length === pageSize
                if (found.length === 0) return
                newest = found.at(-1)!.id
                yield found
            }
        }
        super({ table: "measurement", read, source, log })
    }
}

/** All alarms that belong on the screen, whenever one of them may have changed. */
export class LiveAlarms extends Live<Alarm[]> {
    constructor(alarms: Alarms, source: ChangeSource, log: Log) {
        async function* read() {
            yield await alarms.open()
        }
        super({ table: "alarm", read, source, log })
    }
}
