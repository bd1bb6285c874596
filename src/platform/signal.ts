import { Fiber, suspend } from "@devicescript/core"

/** A signal for which one fiber waits. A signal raised while no fiber waits is kept. */
export class Signal {
    private isRaised = false
    private waiting: Fiber

    /** Raises the signal. Does not wait or throw. */
    raise(): void {
        this.isRaised = true
        const fiber = this.waiting
        this.waiting = undefined
        if (fiber) fiber.resume(true)
    }

    /** Waits until raised, or for `ms`. @returns whether it was raised */
    async wait(ms?: number): Promise<boolean> {
        if (!this.isRaised) {
            this.waiting = Fiber.self()
            await suspend(ms)
            this.waiting = undefined
        }
        const isRaised = this.isRaised
        this.isRaised = false
        return isRaised
    }
}
