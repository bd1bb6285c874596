import type { Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { Schema } from "./schema.ts"

type StoredErasure = Selectable<Schema["erasure"]>

export class ErasureTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async get(patient: number): Promise<StoredErasure | undefined> {
        return await this.access.db.selectFrom("erasure").selectAll().where("patient", "=", patient).executeTakeFirst()
    }
}
