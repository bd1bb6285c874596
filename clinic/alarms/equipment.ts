import type { Log } from "../../host/log.ts"
import { routerSilentMs, type RouterState } from "../routers.ts"
import type { Store } from "../store/store.ts"
import type { Alarms, Subject } from "./alarms.ts"

export interface EquipmentOptions {
    store: Store
    alarms: Alarms
    routers: () => Promise<readonly RouterState[]>
    /** Channels that did not work at their last attempt. */
    failing: () => readonly { name: string; since: number }[]
    /** Bytes that are free where the database is. */
    disk: () => Promise<number>
    /** When the clinic's certificate ends, unix ms. */
    certificateEnds: () => number
    /** Whether a backup failed, or should have been made by now. */
    isBackupOverdue: () => boolean
    /** Unix ms. */
    now: () => number
    log: Log
}

interface Fault {
    source: string
    kind: string
    /** Undefined: it goes on as it was. */
    isSo: boolean | undefined
}

/** A router that was away for so long before the clinic started is not missed any more. */
const missedMs = 3 * 86_400_000
/** A channel that fails for less is tried again before anybody has to know. */
const failingMs = 60_000
const leastFreeBytes = 512 * 2 ** 20
/** The clinic's own certificate is renewed long before; a hospital may need two weeks. */
const certificateMs = 14 * 86_400_000

/**
 * Raises alarms about the equipment that no mote can tell of: a router that goes is one alarm, not one for each of its motes. It is over
 * when the router is heard, the channel has worked, and so on; silence ends nothing.
 */
export class EquipmentWatch {
    private readonly o: EquipmentOptions

    constructor(o: EquipmentOptions) {
        this.o = o
    }

    /** To be called every few seconds; never throws. */
    async check(): Promise<void> {
        try {
            for (const fault of await this.faults()) await this.follow(fault)
        } catch (error) {
            this.o.log.error({ reason: (error as Error).message }, "cannot look after the equipment")
        }
    }

    private async faults(): Promise<Fault[]> {
        const { certificateEnds, disk, failing, isBackupOverdue, now, routers } = this.o
        const faults: Fault[] = [
            { source: "clinic", kind: "disk-filling", isSo: (await disk()) < leastFreeBytes },
            { source: "clinic", kind: "certificate-ending", isSo: certificateEnds() - now() < certificateMs },
            { source: "clinic", kind: "backup-overdue", isSo: isBackupOverdue() },
        ]
        for (const { name, heardAt, silentMs, clockOffsetMs } of await routers()) {
            const source = `router/${name}`
            const isMissed = silentMs > routerSilentMs && Math.abs(now() - heardAt) < missedMs
            const isHeard = silentMs <= routerSilentMs
            faults.push({ source, kind: "router-silent", isSo: isHeard ? false : isMissed || undefined })
            if (isHeard)
                faults.push({ source, kind: "router-clock", isSo: clockOffsetMs !== null && clockOffsetMs !== 0 })
        }
        const broken = failing()
        for (const { name, since } of broken)
            if (now() - since > failingMs)
                faults.push({ source: `channel/${name}`, kind: "channel-failed", isSo: true })
        const known = new Set(faults.map(({ source, kind }) => `${source} ${kind}`))
        for (const { source, kind } of await this.o.store.alarm.ofEquipment())
            if (!known.has(`${source} ${kind}`) && !broken.some(({ name }) => source === `channel/${name}`))
                if (kind === "channel-failed" || kind === "router-silent") faults.push({ source, kind, isSo: false })
        return faults
    }

    private async follow({ source, kind, isSo }: Fault): Promise<void> {
        if (isSo === undefined) return
        const { alarms, now, store } = this.o
        const isRaised = (await store.alarm.lasting(source, kind)).length > 0
        if (isRaised === isSo) return
        const subject: Subject = { source, mote: null, patient: null, endedAt: null }
        await store.transaction(async t => {
            if (isSo) await alarms.raise(subject, kind, { time: now() }, t)
            else await alarms.clear(subject, kind, now(), t)
        })
    }
}
