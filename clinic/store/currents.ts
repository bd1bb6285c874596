import { prepare, type Access } from "./access.ts"

export interface Current {
    patient: number
    name: string
    time: number
}

const put = prepare<Current & { now: number }, unknown>((db, { patient, name, time, now }) =>
    db
        .insertInto("current")
        .values({ patient, name, time })
        .onConflict(conflict =>
            conflict
                .columns(["patient", "name"])
                .doUpdateSet({ time })
                .where(({ or, eb }) => or([eb("current.time", "<=", time), eb("current.time", ">", now)])),
        ),
)

/** Of what time the measurement is that is shown as a patient's value of now; `MeasurementTable.current` reads both. */
export class CurrentTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /**
     * Of what has just arrived: it takes the place of what was there, unless it is older. What is ahead of `now` never stands in
     * the way.
     */
    async put(current: Current, now: number): Promise<void> {
        await put(this.access, { ...current, now })
        this.access.changed("current")
    }
}
