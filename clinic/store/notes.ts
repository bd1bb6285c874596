import type { Access } from "./access.ts"

export interface StoredNote {
    id: number
    patient: number
    text: string
    /** Unix ms. */
    time: number
    author: string
}

export interface NotePeriod {
    patient: number
    /** Unix ms. */
    from: number
    before: number
    limit: number
}

const columns = ["id", "patient", "text", "time", "author"] as const

/** What nurses and doctors wrote about a patient. Nothing in it is ever changed. */
export class NoteTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(note: Omit<StoredNote, "id">): Promise<StoredNote> {
        const added = await this.access.db.insertInto("note").values(note).returning(columns).executeTakeFirstOrThrow()
        this.access.changed("note", added.id)
        return added
    }

    /** The newest first. */
    async during({ patient, from, before, limit }: NotePeriod): Promise<StoredNote[]> {
        return await this.access.db
            .selectFrom("note")
            .select(columns)
            .where("patient", "=", patient)
            .where("time", ">=", from)
            .where("time", "<", before)
            .orderBy("time", "desc")
            .orderBy("id", "desc")
            .limit(limit)
            .execute()
    }
}
