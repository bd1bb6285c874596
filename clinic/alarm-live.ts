import type { Log } from "../host/log.ts"
import type { Alarm, Alarms } from "./alarms.ts"

export type AlarmListener = (open: Alarm[]) => void

/** Tells listeners of all alarms that belong on the screen, whenever one of them may have changed. */
export class LiveAlarms {
    private readonly alarms: Alarms
    private readonly log: Log
    private readonly listeners = new Set<AlarmListener>()
    private reading: Promise<void> | undefined
    private again = false

    constructor(alarms: Alarms, log: Log) {
        this.alarms = alarms
        this.log = log
    }

    /** Returns how to stop it. */
    subscribe(listener: AlarmListener): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    /** Something changed: reads what is open and passes it on. Never throws; what failed comes with the next call. */
    async notify(): Promise<void> {
        this.again = true
        this.reading ??= this.read()
        await this.reading
    }

    private async read(): Promise<void> {
        try {
            while (this.again) {
                this.again = false
                const open = await this.alarms.open()
                for (const listener of this.listeners) listener(open)
            }
        } catch (error) {
            this.log.error({ reason: (error as Error).message }, "cannot read the alarms")
        } finally {
            this.reading = undefined // at once: the next call has to begin anew
        }
    }
}
