import type { Simulation } from "./simulation.ts"

/** Nobody waits longer for an answer from a simulation that runs as fast as it can. */
const sliceWallMs = 40
/** At a limited speed: how often the simulation catches up with the time. */
const beatMs = 15
/** Further behind than that, it does not hurry to make up for it. */
const patienceMs = 500
/** Between two looks at whether it is enough. */
const lookS = 0.5
/** Where nothing happens any more, a step ends there. */
const longestStepS = 60
/** The clock counts unix milliseconds, and no finer than this. */
const resolutionS = 1e-6

/**
 * Lets a simulation run: as fast as it can or at a speed, paused, step by step. However it is cut into pieces, the same
 * events happen in the same order.
 */
export class Runner {
    readonly simulation: Simulation
    /** At most so many times real time; undefined: as fast as it can. */
    private limit: number | undefined
    private paused = false
    private stopped = false
    private readonly steps: (() => Promise<void>)[] = []
    private readonly errands: (() => Promise<void>)[] = []
    /** Ends a rest early. */
    private wake = () => {}
    /** Where time and the simulation stood together. */
    private since = { wallMs: 0, s: 0 }

    constructor(simulation: Simulation, speed?: number) {
        this.simulation = simulation
        this.limit = speed
    }

    get speed(): number | undefined {
        return this.limit
    }

    set speed(speed: number | undefined) {
        this.limit = speed
        this.rebase()
        this.wake()
    }

    get isPaused(): boolean {
        return this.paused
    }

    pause(): void {
        this.paused = true
        this.wake()
    }

    resume(): void {
        this.paused = false
        this.rebase()
        this.wake()
    }

    /** Ends `runTo`, now and for good. */
    stop(): void {
        this.stopped = true
        this.wake()
    }

    /** Does something between two events, while the simulation stands still. */
    between<T>(work: () => T | Promise<T>): Promise<T> {
        return new Promise((resolve, reject) => {
            this.errands.push(async () => {
                try {
                    resolve(await work())
                } catch (error) {
                    reject(error as Error)
                }
            })
            this.wake()
        })
    }

    /** Pauses, after so much simulated time. */
    stepSeconds(seconds: number): Promise<void> {
        return this.step(() => this.simulation.run(seconds))
    }

    /** Pauses, after the next event. */
    stepEvent(): Promise<void> {
        let events = 0
        return this.step(() => this.simulation.run(longestStepS, () => events++ > 0))
    }

    /** Pauses, as soon as the condition holds, a minute of simulated time later at most. */
    stepUntil(condition: () => boolean): Promise<void> {
        return this.step(() => this.simulation.run(longestStepS, condition))
    }

    /**
     * Runs up to a moment, in seconds of simulated time; a step may go beyond it.
     * @param isEnough looked at now and then; ends it early
     * @param show is told how far it is, and how many times faster than real time
     */
    async runTo(
        end: number,
        isEnough: () => boolean = () => false,
        show: (now: number, speed: number) => void = () => {},
    ): Promise<void> {
        const { simulation } = this
        const began = { wallMs: performance.now(), s: simulation.now() }
        this.rebase()
        while (!this.stopped && end - simulation.now() > resolutionS && !isEnough()) {
            await this.reach(Math.min(end, simulation.now() + lookS))
            const wallS = (performance.now() - began.wallMs) / 1000
            show(simulation.now(), (simulation.now() - began.s) / wallS)
        }
    }

    private step(work: () => Promise<void>): Promise<void> {
        this.pause()
        return new Promise(resolve => {
            this.steps.push(() => work().then(resolve))
            this.wake()
        })
    }

    private async reach(target: number): Promise<void> {
        const { simulation } = this
        while (!this.stopped && target - simulation.now() > resolutionS) {
            const errand = this.errands.shift()
            const step = this.paused ? this.steps.shift() : undefined
            if (errand) await errand()
            else if (step) await step()
            else if (this.paused) await this.rest(Infinity)
            else await this.advance(target)
        }
    }

    /** A piece of the way; at a limited speed the rest that is due after it. */
    private async advance(target: number): Promise<void> {
        const { simulation, limit, since } = this
        const wallMs = performance.now()
        const isLate = () => performance.now() - wallMs > sliceWallMs || this.errands.length > 0
        if (limit === undefined) {
            await simulation.run(target - simulation.now(), isLate)
            await breathe()
            return
        }
        const due = since.s + ((wallMs - since.wallMs) / 1000) * limit
        const next = Math.min(target, due)
        if (next > simulation.now()) await simulation.run(next - simulation.now(), isLate)
        const behindMs = ((due - simulation.now()) / limit) * 1000
        if (due < target && behindMs <= beatMs) await this.rest(Math.min(beatMs, ((target - due) / limit) * 1000))
        else {
            if (behindMs > patienceMs) this.rebase()
            await breathe()
        }
    }

    private rebase(): void {
        this.since = { wallMs: performance.now(), s: this.simulation.now() }
    }

    private rest(ms: number): Promise<void> {
        return new Promise(resolve => {
            const timer = ms === Infinity ? undefined : setTimeout(resolve, ms)
            this.wake = () => {
                clearTimeout(timer)
                resolve()
            }
        })
    }
}

/** Lets the machine's own business through: sockets, signals. */
function breathe(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
}
