import { PassThrough } from "node:stream"
import type { Feed } from "./feed.ts"

const tickMs = 100
/** A page that reads too slowly gets nothing more until it has read this, and then the number of ticks that it missed. */
const maxBacklogBytes = 1_000_000
const maxPages = 8

interface Watcher {
    stream: PassThrough
    missed: number
}

/** Tells all pages what happens, ten times a second, as Server-Sent Events: `hello`, then `tick`, and `missed`. */
export class Stream {
    private readonly feed: Feed
    private readonly watchers = new Set<Watcher>()
    private readonly timer: NodeJS.Timeout

    constructor(feed: Feed) {
        this.feed = feed
        this.timer = setInterval(() => this.tick(), tickMs)
    }

    /** A stream for one more page; undefined where there are too many. */
    open(): PassThrough | undefined {
        if (this.watchers.size >= maxPages) return undefined
        // While nobody watched, nothing was made of what happened.
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
                    // What changed meanwhile is unknown to it: it begins anew.
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
