import type { Access } from "./access.ts"

/** One notice on one channel: what is to be told of an alarm, and what became of it. Times are unix ms. */
export interface StoredDelivery {
    id: number
    /** Stays the same over all attempts. */
    notice: string
    channel: string
    alarm: number
    phase: string
    madeAt: number
    attempts: number
    /** When it is tried next; null: never again. */
    nextAt: number | null
    deliveredAt: number | null
    /** Of the last attempt, as a DeliveryFailure with its detail; `acknowledged` where it was not needed any more. */
    failure: string | null
}

const columns = [
    ...(["id", "notice", "channel", "alarm", "phase", "attempts", "failure"] as const),
    ...(["made_at as madeAt", "next_at as nextAt", "delivered_at as deliveredAt"] as const),
] as const

export class DeliveryTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({
        madeAt,
        nextAt,
        ...delivery
    }: Pick<StoredDelivery, "notice" | "channel" | "alarm" | "phase" | "madeAt" | "nextAt">): Promise<void> {
        await this.access.db
            .insertInto("delivery")
            .values({ ...delivery, made_at: madeAt, next_at: nextAt, attempts: 0 })
            .execute()
        this.access.changed("delivery")
    }

    /** What one channel should be told by now, the oldest first. */
    async due(channel: string, now: number, limit: number): Promise<StoredDelivery[]> {
        return await this.access.db
            .selectFrom("delivery")
            .select(columns)
            .where("channel", "=", channel)
            .where("next_at", "<=", now)
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** When the next attempt is due, on any channel; undefined: nothing waits. */
    async nextDue(): Promise<number | undefined> {
        const { nextAt } = await this.access.db
            .selectFrom("delivery")
            .select(({ fn }) => fn.min<number | null>("next_at").as("nextAt"))
            .where("next_at", "is not", null)
            .executeTakeFirstOrThrow()
        return nextAt ?? undefined
    }

    async ofAlarm(alarm: number): Promise<StoredDelivery[]> {
        return await this.access.db
            .selectFrom("delivery")
            .select(columns)
            .where("alarm", "=", alarm)
            .orderBy("id")
            .execute()
    }

    async save({ id, attempts, nextAt, deliveredAt, failure }: StoredDelivery): Promise<void> {
        await this.access.db
            .updateTable("delivery")
            .set({ attempts, next_at: nextAt, delivered_at: deliveredAt, failure })
            .where("id", "=", id)
            .execute()
        this.access.changed("delivery")
    }
}
