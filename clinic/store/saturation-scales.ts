import { prepare, type Access } from "./access.ts"

export interface StoredScale {
    scale: number
    author: string
    /** Unix ms. */
    madeAt: number
}

const newest = prepare<{ patient: number }, StoredScale>((db, { patient }) =>
    db
        .selectFrom("saturation_scale")
        .select(["scale", "author", "made_at as madeAt"])
        .where("patient", "=", patient)
        .orderBy("id", "desc")
        .limit(1),
)

/** Which SpO₂ scale of NEWS2 applies to a patient, and who said so: the newest row counts, the others are kept. */
export class SaturationScaleTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(patient: number, { madeAt, ...scale }: StoredScale): Promise<void> {
        await this.access.db
            .insertInto("saturation_scale")
            .values({ patient, ...scale, made_at: madeAt })
            .execute()
        this.access.changed("saturation_scale")
    }

    async newest(patient: number): Promise<StoredScale | undefined> {
        return (await newest(this.access, { patient })).rows[0]
    }
}
