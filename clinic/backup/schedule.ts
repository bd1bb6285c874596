import { fork } from "node:child_process"
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { elapsedMs, type Clock, type Timer } from "../../host/clock.ts"
import { UserError } from "../../host/errors.ts"
import type { Log } from "../../host/log.ts"
import type { BackupAnswer, BackupRequest } from "./process.ts"

export interface BackupPlan {
    /** Where they go; belongs to one clinic. */
    folder: string
    everyMs: number
    /** The older ones are removed when there is a new one. */
    keep: number
    passphrase: string
}

const checkMs = 60_000
/** After a failure it is tried again before the next one is due. */
const retryMs = 15 * 60_000
/** By its time: `vitalmote-20261130T134500Z.age`. */
const nameForm = /^vitalmote-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.age$/

/** Makes backups every so often and removes old ones. A file in the folder that has its final name is whole: it was read back. */
export class BackupSchedule {
    private readonly o: { plan: BackupPlan; clock: Clock; log: Log; make: (file: string) => Promise<void> }
    private readonly startedAt: number
    private failedAt: number | undefined
    private timer: Timer
    private atWork: Promise<void> = Promise.resolve()

    /** @param o.make writes a whole backup, or throws */
    constructor(o: { plan: BackupPlan; clock: Clock; log: Log; make: (file: string) => Promise<void> }) {
        this.o = o
        this.startedAt = elapsedMs(o.clock)
    }

    /** Throws UserError where the folder cannot be made. */
    start(): void {
        const { folder } = this.o.plan
        try {
            mkdirSync(folder, { recursive: true, mode: 0o700 })
            this.newestAt()
        } catch (error) {
            throw new UserError(`cannot use the backup folder ${folder}: ${(error as Error).message}`)
        }
        this.wait()
    }

    async stop(): Promise<void> {
        this.o.clock.clearTimeout(this.timer)
        await this.atWork
        this.o.clock.clearTimeout(this.timer)
    }

    /** The last one failed, or there should have been another one long since. */
    isOverdue(): boolean {
        const { clock, plan } = this.o
        if (this.failedAt !== undefined) return true
        const newestAt = this.newestAt()
        if (newestAt === undefined) return elapsedMs(clock) - this.startedAt > plan.everyMs
        return clock.now() - newestAt > 2 * plan.everyMs
    }

    private wait(): void {
        this.timer = this.o.clock.setTimeout(() => {
            this.atWork = this.check().finally(() => this.wait())
        }, checkMs)
    }

    private async check(): Promise<void> {
        const { clock, log, make, plan } = this.o
        if (this.failedAt !== undefined && elapsedMs(clock) - this.failedAt < Math.min(retryMs, plan.everyMs)) return
        // A clock that was set: one from the future does not count.
        const newestAt = this.newestAt()
        if (newestAt !== undefined && Math.abs(clock.now() - newestAt) < plan.everyMs) return
        try {
            for (const name of readdirSync(plan.folder))
                if (name.endsWith(".new") && nameForm.test(name.slice(0, -4))) rmSync(join(plan.folder, name))
            const file = join(plan.folder, nameAt(clock.now()))
            await make(file)
            this.failedAt = undefined
            log.info({ file }, "backup made")
            for (const name of this.names().slice(0, -plan.keep)) rmSync(join(plan.folder, name))
        } catch (error) {
            this.failedAt = elapsedMs(clock)
            log.error({ reason: (error as Error).message }, "the backup failed")
        }
    }

    /** The oldest first. */
    private names(): string[] {
        return readdirSync(this.o.plan.folder)
            .filter(name => nameForm.test(name))
            .sort()
    }

    /** Of the newest backup, unix ms; undefined where there is none, or the folder cannot be read. */
    newestAt(): number | undefined {
        try {
            const name = this.names().at(-1)
            return name === undefined ? undefined : timeOf(name)
        } catch {
            return undefined
        }
    }
}

function nameAt(now: number): string {
    const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "")
    return `vitalmote-${time}.age`
}

function timeOf(name: string): number {
    return Date.parse(name.replace(nameForm, "$1-$2-$3T$4:$5:$6Z"))
}

const program = fileURLToPath(new URL("process.mjs", import.meta.url))

/**
 * Makes a backup in a process of its own, so that the clinic goes on meanwhile.
 * @param released called when the database's file has been read, or will not be any more
 */
export function makeApart(request: BackupRequest, released: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
        const child = fork(program, { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: [] })
        let answer: Exclude<BackupAnswer, "released"> | undefined
        const stop = () => child.kill()
        signal.addEventListener("abort", stop)
        child.on("message", (message: BackupAnswer) => {
            if (message === "released") released()
            else answer = message
            if (answer) child.disconnect()
        })
        child.once("error", reject)
        child.once("exit", code => {
            signal.removeEventListener("abort", stop)
            released()
            if (answer && answer.failure === undefined) resolve()
            else reject(new Error(answer?.failure ?? `its process ended with ${code}`))
        })
        child.send(request)
    })
}
