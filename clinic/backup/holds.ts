import { randomUUID } from "node:crypto"
import { elapsedMs, type Clock, type Timer } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { HeldFile } from "../store/sqlite/hold.ts"

/** Whoever makes a backup says at least this often that it still does. */
const holdMs = 20_000

/** Holds the database's file still for one backup at a time. Whoever asked for it and is not heard any more is forgotten. */
export class BackupHolds {
    private readonly clock: Clock
    private readonly hold: () => Promise<HeldFile>
    private held: { id: string; file: Promise<HeldFile>; until: number } | undefined
    private timer: Timer

    constructor(clock: Clock, hold: () => Promise<HeldFile>) {
        this.clock = clock
        this.hold = hold
    }

    /** The name of the hold, for a while where it `expires`. Throws ProblemError where another backup is being made. */
    async begin({ expires }: { expires: boolean }): Promise<string> {
        if (this.held) throw new ProblemError("backup-at-work")
        const held = { id: randomUUID(), file: this.hold(), until: elapsedMs(this.clock) + holdMs }
        this.held = held
        try {
            await held.file
        } catch (error) {
            this.held = undefined
            throw error
        }
        if (expires) this.wait()
        return held.id
    }

    /** Whether it has been held since it began; from now on for another while. */
    renew(id: string): boolean {
        if (this.held?.id !== id) return false
        this.held.until = elapsedMs(this.clock) + holdMs
        return true
    }

    /** False where it was not held any more. */
    async end(id: string): Promise<boolean> {
        const { held } = this
        if (held?.id !== id) return false
        this.clock.clearTimeout(this.timer)
        this.held = undefined
        await (await held.file).release()
        return true
    }

    async stop(): Promise<void> {
        if (this.held) await this.end(this.held.id)
    }

    private wait(): void {
        const { held } = this
        if (!held) return
        this.timer = this.clock.setTimeout(() => {
            if (elapsedMs(this.clock) >= held.until) void this.end(held.id).catch(() => {})
            else this.wait()
        }, holdMs)
    }
}
