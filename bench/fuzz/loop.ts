import { addReached, isFresh, type Reached } from "./coverage.ts"
import { mutate, type Random } from "./mutate.ts"
import type { Target } from "./targets.ts"

/** Inputs that run before coverage is asked for: asking costs as much as hundreds of them. */
const batchInputs = 512
/** Longer than any parser may take for 4 KiB. */
const slowMs = 250

/** An input for which a parser did what it must not. */
export interface Finding {
    target: string
    input: Uint8Array
    what: string
}

/** One target's inputs so far. */
export interface Fuzzed {
    corpus: Uint8Array[]
    seen: Reached
    inputs: number
    findings: Map<string, Finding>
}

/** Runs a target with its corpus. */
export function begin(target: Target, corpus: Uint8Array[]): Fuzzed {
    const fuzzed: Fuzzed = { corpus: [], seen: new Map(), inputs: 0, findings: new Map() }
    for (const input of corpus) check(target, input, fuzzed)
    return fuzzed
}

/**
 * Runs a batch of changed inputs, and keeps those that reach code which none has reached before.
 * @param o.take what has run since it was last called
 */
export function step(
    target: Target,
    fuzzed: Fuzzed,
    o: { take: () => Reached; random: Random; start: Uint8Array[] },
): void {
    const { take, random, start } = o
    const pool = fuzzed.corpus.length > 0 ? [...fuzzed.corpus, ...start] : start
    const pick = () => pool[Math.floor(random() * pool.length)]!
    const batch = Array.from({ length: batchInputs }, () => mutate(pick(), pick(), random))
    explore(target, fuzzed, batch, take)
    fuzzed.inputs += batch.length
}

/** Finds out by halves which inputs of a batch reach something new. */
export function explore(target: Target, fuzzed: Fuzzed, batch: Uint8Array[], take: () => Reached): void {
    take()
    for (const input of batch) check(target, input, fuzzed)
    const reached = take()
    if (batch.length === 0 || !isFresh(fuzzed.seen, reached)) return
    if (batch.length === 1) {
        addReached(fuzzed.seen, reached)
        fuzzed.corpus.push(Uint8Array.from(batch[0]!))
        return
    }
    const half = batch.length >> 1
    explore(target, fuzzed, batch.slice(0, half), take)
    explore(target, fuzzed, batch.slice(half), take)
}

/** Runs one input. An error that the parser may not throw, or a long time, is a finding; one of each kind is kept. */
export function check(
    { name, run, mayThrow }: Target,
    input: Uint8Array,
    { findings }: Pick<Fuzzed, "findings">,
): void {
    const found = (kind: string, what: string) => {
        if (!findings.has(kind)) findings.set(kind, { target: name, input: Uint8Array.from(input), what })
    }
    const start = process.cpuUsage()
    try {
        run(input)
    } catch (error) {
        if (mayThrow(error)) return
        const { message, stack = "" } = error as Error
        found(stack.split("\n").slice(1, 3).join(), `${message}\n${stack}`)
    }
    const { user } = process.cpuUsage(start)
    if (user > slowMs * 1000) found("slow", `takes ${Math.round(user / 1000)} ms`)
}
