import type { Access } from "./access.ts"

/** What a mote last said of a kind of alarm, whoever wore it then. */
export interface MoteAlarm {
    mote: number
    kind: string
    generation: number
    number: number
    isOn: boolean
    /** SenML unit of the values. */
    unit: string | null
}

/** The alarms as the motes themselves have them: one that lasts is not told again when somebody else wears the mote. */
export class MoteAlarmTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** What is older than what is known changes nothing: they are numbered, and each begins before it ends. */
    async put({ mote, kind, generation, number, isOn, unit }: MoteAlarm): Promise<void> {
        const said = { generation, number, is_on: isOn ? 1 : 0, unit }
        await this.access.db
            .insertInto("mote_alarm")
            .values({ mote, kind, ...said })
            .onConflict(conflict =>
                conflict
                    .columns(["mote", "kind"])
                    .doUpdateSet(said)
                    .where(({ or, and, eb }) =>
                        or([
                            eb("mote_alarm.generation", "<", generation),
                            and([eb("mote_alarm.generation", "=", generation), eb("mote_alarm.number", "<", number)]),
                            and([
                                eb("mote_alarm.generation", "=", generation),
                                eb("mote_alarm.number", "=", number),
                                eb("mote_alarm.is_on", ">", said.is_on),
                            ]),
                        ]),
                    ),
            )
            .execute()
        this.access.changed("mote_alarm")
    }

    async ofMote(mote: number): Promise<MoteAlarm[]> {
        const rows = await this.access.db
            .selectFrom("mote_alarm")
            .select(["mote", "kind", "generation", "number", "is_on as isOn", "unit"])
            .where("mote", "=", mote)
            .orderBy("kind")
            .execute()
        return rows.map(row => ({ ...row, isOn: row.isOn === 1 }))
    }
}
