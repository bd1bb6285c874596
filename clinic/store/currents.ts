import type { Access } from "./access.ts"
import { prepareRows } from "./rows.ts"

export type Current = {
    patient: number
    name: string
    time: number
}

const put = prepareRows<Current>(
    { patient: "integer", name: "text", time: "integer" },
    (rows, ahead) => `INSERT INTO current (patient, name, time) SELECT patient, name, time FROM ${rows} WHERE true
        ON CONFLICT (patient, name) DO UPDATE SET time = excluded.time
            WHERE current.time <= excluded.time OR current.time > ${ahead}`,
)

/** Of what time the measurement is that is shown as a patient's value of now; `MeasurementTable.current` reads both. */
export class CurrentTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /**
     * Of what has just arrived, one of each name and patient: it takes the place of what was there, unless it is older. What is later
     * than `ahead` never stands in the way.
     */
    async put(currents: readonly Current[], ahead: number): Promise<void> {
        if (currents.length === 0) return
        await put(this.access, currents, ahead)
        this.access.changed("current")
    }
}
