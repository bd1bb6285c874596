import type { Access } from "./access.ts"

/** That nothing of a patient may be removed, until somebody lifts it. Times are unix ms. */
export interface StoredLegalHold {
    id: number
    patient: number
    reason: string
    author: string
    madeAt: number
    liftedAt: number | null
    liftedBy: string | null
}

const columns = [
    ...(["id", "patient", "reason", "author", "made_at as madeAt"] as const),
    ...(["lifted_at as liftedAt", "lifted_by as liftedBy"] as const),
] as const

export class LegalHoldTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ madeAt, ...hold }: Pick<StoredLegalHold, "patient" | "reason" | "author" | "madeAt">) {
        const added: StoredLegalHold = await this.access.db
            .insertInto("legal_hold")
            .values({ ...hold, made_at: madeAt })
            .returning(columns)
            .executeTakeFirstOrThrow()
        this.access.changed("legal_hold", added.id)
        return added
    }

    /** False where that patient has no such hold that lasts. */
    async lift(id: number, patient: number, { at, by }: { at: number; by: string }): Promise<boolean> {
        const { numUpdatedRows } = await this.access.db
            .updateTable("legal_hold")
            .set({ lifted_at: at, lifted_by: by })
            .where("id", "=", id)
            .where("patient", "=", patient)
            .where("lifted_at", "is", null)
            .executeTakeFirst()
        this.access.changed("legal_hold", id)
        return numUpdatedRows > 0n
    }

    /** Whether nothing of that patient may be removed. */
    async isHeld(patient: number): Promise<boolean> {
        const found = await this.access.db
            .selectFrom("legal_hold")
            .select("id")
            .where("patient", "=", patient)
            .where("lifted_at", "is", null)
            .limit(1)
            .executeTakeFirst()
        return found !== undefined
    }

    /** The newest first, those that last before those that were lifted. */
    async all(limit: number): Promise<StoredLegalHold[]> {
        return await this.access.db
            .selectFrom("legal_hold")
            .select(columns)
            .orderBy(({ eb }) => eb.case().when("lifted_at", "is", null).then(0).else(1).end())
            .orderBy("id", "desc")
            .limit(limit)
            .execute()
    }

    /** The patients of whom nothing may be removed. */
    async held(): Promise<Set<number>> {
        const rows = await this.access.db
            .selectFrom("legal_hold")
            .select("patient")
            .where("lifted_at", "is", null)
            .execute()
        return new Set(rows.map(({ patient }) => patient))
    }
}
