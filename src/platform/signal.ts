import { Fiber, suspend } from "@devicescript/core"

/** Where one fiber waits for the word of others. A word given while nobody waits is kept. */
export class Signal {
    private isRaised = false
    private waiting: Fiber

    /** Does not wait and does not throw. */
    raise(): void {
        this.isRaised = true
        const fiber = this.waiting
        this.waiting = undefined
        if (fiber) fiber.resume(true)
    }

    /** Waits until raised, or for `ms`; says whether it was raised. */
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
