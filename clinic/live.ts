import type { Log } from "../host/log.ts"
import type { Alarm } from "./alarms/alarm.ts"
import type { Alarms } from "./alarms/alarms.ts"
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
    /** What is new in it; `ids` are of the rows that were written, for tables that say so. */
    read: (ids: number[]) => AsyncIterable<News>
    source: ChangeSource
    log: Log
}

/** Tells all who listen what is new in a table, read once for all of them, one reading at a time. */
class Live<News> {
    private readonly o: LiveOptions<News>
    private readonly listeners = new Set<(news: News) => void>()
    private reading: Promise<void> | undefined
    private again = false
    private changed = new Set<number>()

    constructor(o: LiveOptions<News>) {
        this.o = o
        o.source.onChanged(changes => {
            const ids = changes.get(o.table)
            if (ids) this.notice(ids)
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
    private notice(ids: ReadonlySet<number>): void {
        for (const id of ids) this.changed.add(id)
        this.again = true
        this.reading ??= this.read()
    }

    private async read(): Promise<void> {
        const { table, log } = this.o
        let ids: number[] = []
        try {
            while (this.again) {
                this.again = false
                ids = [...this.changed]
                this.changed = new Set()
                for await (const news of this.o.read(ids)) for (const listener of this.listeners) listener(news)
            }
        } catch (error) {
            for (const id of ids) this.changed.add(id)
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

/** Alarms that have changed, as they are now, those that are over included. */
export class LiveAlarms extends Live<Alarm[]> {
    constructor(alarms: Alarms, source: ChangeSource, log: Log) {
        async function* read(ids: number[]) {
            for (let i = 0; i < ids.length; i += pageSize) yield await alarms.byIds(ids.slice(i, i + pageSize))
        }
        super({ table: "alarm", read, source, log })
    }
}
