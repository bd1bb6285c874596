import { PassThrough } from "node:stream"
import type { Feed } from "./feed.ts"

const tickMs = 100
/** A page with a larger backlog gets nothing until it has read that, and then the number of missed ticks. */
const maxBacklogBytes = 1_000_000
const maxPages = 8

interface Watcher {
    stream: PassThrough
    missed: number
}

/** Sends events to all pages ten times a second, as Server-Sent Events: `hello`, then `tick`, and `missed`. */
export class Stream {
    private readonly feed: Feed
    private readonly watchers = new Set<Watcher>()
    private readonly timer: NodeJS.Timeout

    constructor(feed: Feed) {
        this.feed = feed
        this.timer = setInterval(() => this.tick(), tickMs)
    }

    /** A stream for another page. Undefined if there are too many pages. */
    open(): PassThrough | undefined {
        if (this.watchers.size >= maxPages) return undefined
        // Discards the events from the time without pages.
        if (!this.watchers.size) this.feed.tick()
        const stream = new PassThrough({ highWaterMark: maxBacklogBytes })
        const watcher = { stream, missed: 0 }
        stream.write(event("hello", this.feed.hello()))
        this.watchers.add(watcher)
        stream.on("close", () => this.watchers.delete(watcher))
        return stream
    }

    close(): void {
        clearInterval(this.timer)
        for (const { stream } of this.watchers) stream.end()
    }

    private tick(): void {
        if (!this.watchers.size) return
        const text = event("tick", this.feed.tick())
        for (const watcher of this.watchers) {
            const { stream } = watcher
            if (stream.writableNeedDrain) watcher.missed++
            else {
                if (watcher.missed) {
                    // The page has missed changes, so it gets the complete state again.
                    stream.write(event("missed", { ticks: watcher.missed }))
                    stream.write(event("hello", this.feed.hello()))
                    watcher.missed = 0
                } else stream.write(text)
            }
        }
    }
}

function event(name: string, data: object): string {
    return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
