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
    /** Of the last attempt, as a DeliveryFailure with its detail; `acknowledged` or `again` where it was not needed any more. */
    failure: string | null
}

/** One about a patient. */
export type PatientDelivery = StoredDelivery & { patient: number }

/** Which deliveries, older than `beforeId`. */
export interface DeliveryPage {
    patients: "all" | readonly number[]
    ids?: readonly number[] | undefined
    beforeId?: number | undefined
    limit: number
}

/** What is written as the failure of a notice that was not needed any more: the channel has not failed. */
const notNeeded = ["acknowledged", "again", "gone"]

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

    /** What one channel should be told next; nothing comes before what it was to be told earlier of the same alarm. */
    async nextOf(channel: string, now: number): Promise<StoredDelivery | undefined> {
        return await this.access.db
            .selectFrom("delivery")
            .select(columns)
            .where("channel", "=", channel)
            .where("next_at", "<=", now)
            .where(({ exists, not, selectFrom }) =>
                not(
                    exists(
                        selectFrom("delivery as earlier")
                            .select("earlier.id")
                            .whereRef("earlier.alarm", "=", "delivery.alarm")
                            .whereRef("earlier.channel", "=", "delivery.channel")
                            .whereRef("earlier.id", "<", "delivery.id")
                            .where("earlier.next_at", "is not", null),
                    ),
                ),
            )
            .orderBy("id")
            .limit(1)
            .executeTakeFirst()
    }

    /** Notes that an attempt begins: from here on somebody may have been told. Undefined where it is not wanted any more. */
    async begin(id: number): Promise<StoredDelivery | undefined> {
        const begun = await this.access.db
            .updateTable("delivery")
            .set(({ eb }) => ({ attempts: eb("attempts", "+", 1) }))
            .where("id", "=", id)
            .where("next_at", "is not", null)
            .returning(columns)
            .executeTakeFirst()
        this.access.changed("delivery")
        return begun
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

    /** The channels that have taken nothing since an attempt failed, and since when the first of what they did not take waits. */
    async failing(): Promise<{ channel: string; since: number; failure: string }[]> {
        const taken = this.access.db
            .selectFrom("delivery")
            .select(({ fn }) => ["channel", fn.max<number>("delivered_at").as("at")])
            .groupBy("channel")
        return await this.access.db
            .selectFrom("delivery")
            .innerJoin(taken.as("taken"), "taken.channel", "delivery.channel")
            .select(({ fn }) => [
                "delivery.channel as channel",
                fn.min<number>("made_at").as("since"),
                fn.max<string>("failure").as("failure"),
            ])
            .where("attempts", ">", 0)
            .where("delivered_at", "is", null)
            .where("failure", "is not", null)
            .where("failure", "not in", notNeeded)
            .where(({ eb, ref }) => eb("made_at", ">", eb.fn.coalesce(ref("taken.at"), eb.lit(0))))
            .groupBy("delivery.channel")
            .execute()
    }

    /** What was to be told of patients' alarms, the newest first. */
    async page(o: DeliveryPage): Promise<PatientDelivery[]> {
        if (o.patients.length === 0 || o.ids?.length === 0) return []
        return await this.access.db
            .selectFrom("delivery as d")
            .innerJoin("alarm as a", "a.id", "d.alarm")
            .select(["d.id", "d.notice", "d.channel", "d.alarm", "d.phase", "d.attempts", "d.failure", "a.patient"])
            .select(["d.made_at as madeAt", "d.next_at as nextAt", "d.delivered_at as deliveredAt"])
            .where("a.patient", "is not", null)
            .$if(o.patients !== "all", query => query.where("a.patient", "in", o.patients as readonly number[]))
            .$if(o.ids !== undefined, query => query.where("d.id", "in", o.ids!))
            .$if(o.beforeId !== undefined, query => query.where("d.id", "<", o.beforeId!))
            .orderBy("d.id", "desc")
            .limit(o.limit)
            .$castTo<PatientDelivery>()
            .execute()
    }

    async ofAlarm(alarm: number): Promise<StoredDelivery[]> {
        return await this.access.db
            .selectFrom("delivery")
            .select(columns)
            .where("alarm", "=", alarm)
            .orderBy("id")
            .execute()
    }

    /** The last one to a channel, without those that were taken back before anybody could hear of them. */
    async newest(alarm: number, channel: string): Promise<StoredDelivery | undefined> {
        return await this.access.db
            .selectFrom("delivery")
            .select(columns)
            .where("alarm", "=", alarm)
            .where("channel", "=", channel)
            .where(({ eb, or }) => or([eb("attempts", ">", 0), eb("next_at", "is not", null)]))
            .orderBy("id", "desc")
            .limit(1)
            .executeTakeFirst()
    }

    /** Which alarm it is about by now. */
    async alarmOf(id: number): Promise<number> {
        const { alarm } = await this.access.db
            .selectFrom("delivery")
            .select("alarm")
            .where("id", "=", id)
            .executeTakeFirstOrThrow()
        return alarm
    }

    /** Another alarm has taken the place of that one. */
    async move(from: number, to: number): Promise<void> {
        await this.access.db.updateTable("delivery").set({ alarm: to }).where("alarm", "=", from).execute()
    }

    async save({ id, nextAt, deliveredAt, failure }: StoredDelivery): Promise<void> {
        await this.access.db
            .updateTable("delivery")
            .set({ next_at: nextAt, delivered_at: deliveredAt, failure })
            .where("id", "=", id)
            .execute()
        this.access.changed("delivery")
    }
}
