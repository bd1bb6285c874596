import { Session, type Profiler } from "node:inspector"
import { pathToFileURL } from "node:url"
import { projectDir } from "../../devicescript/build.ts"

/** From, and up to but without, offsets in a script. */
type Span = [from: number, to: number]

/** The functions that have run, and the parts of each that have not. */
export type Reached = Map<string, Span[]>

/** Asks V8 which blocks of the project's code have run since the last question (precise coverage by blocks). */
export class Coverage {
    private readonly session = new Session()
    private readonly root = pathToFileURL(`${projectDir}/`).href

    constructor() {
        this.session.connect()
        this.session.post("Profiler.enable")
        this.session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })
    }

    take(): Reached {
        let found: Profiler.ScriptCoverage[] = []
        // In one's own thread the answer comes before `post` returns.
        this.session.post("Profiler.takePreciseCoverage", (error, { result }) => {
            if (error) throw error
            found = result
        })
        const reached: Reached = new Map()
        for (const { url, scriptId, functions } of found) {
            if (!url.startsWith(this.root) || url.includes("/node_modules/")) continue
            for (const { ranges } of functions) {
                const [whole, ...parts] = ranges
                if (!whole || whole.count === 0) continue
                const missed = parts.filter(({ count }) => count === 0)
                reached.set(
                    `${scriptId}:${whole.startOffset}-${whole.endOffset}`,
                    missed.map(({ startOffset, endOffset }) => [startOffset, endOffset]),
                )
            }
        }
        return reached
    }

    close(): void {
        this.session.post("Profiler.stopPreciseCoverage")
        this.session.disconnect()
    }
}

/** Tells whether something has run that had not before. */
export function isFresh(seen: Reached, now: Reached): boolean {
    for (const [name, missed] of now) {
        const before = seen.get(name)
        if (!before || length(both(before, missed)) < length(before)) return true
    }
    return false
}

/** Adds what has run now to what had before. */
export function addReached(seen: Reached, now: Reached): void {
    for (const [name, missed] of now) {
        const before = seen.get(name)
        seen.set(name, before ? both(before, missed) : missed)
    }
}

/** What is in both; each is in order, or nested. */
function both(a: Span[], b: Span[]): Span[] {
    const spans = a.flatMap(([from, to]) =>
        b.map(([otherFrom, otherTo]): Span => [Math.max(from, otherFrom), Math.min(to, otherTo)]),
    )
    return disjoint(spans.filter(([from, to]) => from < to))
}

function disjoint(spans: Span[]): Span[] {
    const merged: Span[] = []
    for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
        const last = merged.at(-1)
        if (last && from <= last[1]) last[1] = Math.max(last[1], to)
        else merged.push([from, to])
    }
    return merged
}

function length(spans: Span[]): number {
    return disjoint(spans).reduce((sum, [from, to]) => sum + to - from, 0)
}
