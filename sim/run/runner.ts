import type { Simulation } from "./simulation.ts"

/** Longest time that a simulation at full speed runs without yielding. */
const sliceWallMs = 40
/** At a limited speed: interval between steps. */
const beatMs = 15
/** A simulation that lags more than this does not catch up. */
const patienceMs = 500
/** Interval of simulated time between checks of `isEnough`. */
const lookS = 0.5
/** A step ends after this time if there are no events. */
const longestStepS = 60
/** Resolution of the clock: it counts Unix milliseconds as floating-point numbers. */
const resolutionS = 1e-6

/**
 * Runs a simulation: at full or limited speed, paused, or step by step. The events and their order do not depend on how
 * the run is divided.
 */
export class Runner {
    readonly simulation: Simulation
    /** Maximum speed as a multiple of real time. Undefined: unlimited. */
    private limit: number | undefined
    private paused = false
    private stopped = false
    private readonly steps: (() => Promise<void>)[] = []
    private readonly errands: (() => Promise<void>)[] = []
    /** Ends a pause early. */
    private wake = () => {}
    /** Wall time and simulated time at the last synchronisation. */
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

    /** Ends `runTo` for good. */
    stop(): void {
        this.stopped = true
        this.wake()
    }

    /** Runs `work` between two events, while the simulation stands still. */
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

    /** Pauses after this much simulated time. */
    stepSeconds(seconds: number): Promise<void> {
        return this.step(() => this.simulation.run(seconds))
    }

    /** Pauses after the next event. */
    stepEvent(): Promise<void> {
        let events = 0
        return this.step(() => this.simulation.run(longestStepS, () => events++ > 0))
    }

    /** Pauses when the condition holds, at the latest after one minute of simulated time. */
    stepUntil(condition: () => boolean): Promise<void> {
        return this.step(() => this.simulation.run(longestStepS, condition))
    }

    /**
     * Runs up to a moment in seconds of simulated time; a step may go beyond it.
     * @param isEnough checked periodically; true ends the run early
     * @param show called with the current time and the speed as a multiple of real time
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

    /** Runs one slice. At a limited speed, waits until real time has caught up. */
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

/** Yields to the event loop: sockets, signals. */
function breathe(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
}
