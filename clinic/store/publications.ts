import type { Access } from "./access.ts"

/** The last of what a broker has acknowledged; everything after that is to be published. */
export interface Position {
    measurement: number
    alarmEntry: number
}

export class PublicationTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** @param name that of the broker */
    async get(name: string): Promise<Position | undefined> {
        return await this.access.db
            .selectFrom("publication")
            .select(["measurement", "alarm_entry as alarmEntry"])
            .where("name", "=", name)
            .executeTakeFirst()
    }

    async put(name: string, { measurement, alarmEntry }: Position): Promise<void> {
        const position = { measurement, alarm_entry: alarmEntry }
        await this.access.db
            .insertInto("publication")
            .values({ name, ...position })
            .onConflict(conflict => conflict.column("name").doUpdateSet(position))
            .execute()
        this.access.changed("publication")
    }
}
