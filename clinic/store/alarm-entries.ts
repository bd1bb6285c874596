import type { Access } from "./access.ts"

/** What happened to an alarm, for the log of the shift. Times are unix ms of the clinic's clock. */
export interface StoredAlarmEntry {
    at: number
    alarm: number
    /** One of clinic/http/schemas/alarms.ts. */
    change: string
    /** User name; null where nobody did it. */
    by: string | null
    /** Escalation steps that were taken by then. */
    level: number
    value: number | null
    /** Who was told, on what channel, and why that failed. */
    told: string | null
    failure: string | null
}

/** What became of an alarm, to be published. */
export type PublishedEntry = Pick<StoredAlarmEntry, "at" | "alarm" | "change" | "value"> & { id: number }

export class AlarmEntryTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(entries: readonly StoredAlarmEntry[]): Promise<void> {
        if (entries.length === 0) return
        await this.access.db
            .insertInto("alarm_entry")
            .values([...entries])
            .execute()
        this.access.changed("alarm_entry")
    }

    /** The alarms of the last of them. */
    async newestAlarms(limit: number): Promise<number[]> {
        const entries = await this.access.db
            .selectFrom("alarm_entry")
            .select("alarm")
            .orderBy("id", "desc")
            .limit(limit)
            .execute()
        return entries.map(({ alarm }) => alarm)
    }

    /** In the order in which they happened. */
    async ofAlarm(alarm: number): Promise<StoredAlarmEntry[]> {
        return await this.access.db
            .selectFrom("alarm_entry")
            .select(["at", "alarm", "change", "by", "level", "value", "told", "failure"])
            .where("alarm", "=", alarm)
            .orderBy("id")
            .execute()
    }

    /** What was done to these alarms by somebody, in the order in which it happened. */
    async doneTo(alarms: readonly number[]): Promise<StoredAlarmEntry[]> {
        if (alarms.length === 0) return []
        return await this.access.db
            .selectFrom("alarm_entry")
            .select(["at", "alarm", "change", "by", "level", "value", "told", "failure"])
            .where("alarm", "in", alarms)
            .where("by", "is not", null)
            .orderBy("id")
            .execute()
    }

    /** In the order in which they were stored, from the one after `id`. */
    async since(id: number, limit: number): Promise<PublishedEntry[]> {
        return await this.access.db
            .selectFrom("alarm_entry")
            .select(["id", "at", "alarm", "change", "value"])
            .where("id", ">", id)
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** The newest id given out; 0 for none. */
    async newestId(): Promise<number> {
        const { id } = await this.access.db
            .selectFrom("alarm_entry")
            .select(({ fn }) => fn.max<number | null>("id").as("id"))
            .executeTakeFirstOrThrow()
        return id ?? 0
    }

    /** Another alarm has taken the place of that one. */
    async move(from: number, to: number): Promise<void> {
        await this.access.db.updateTable("alarm_entry").set({ alarm: to }).where("alarm", "=", from).execute()
    }
}
