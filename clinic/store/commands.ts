import type { Access } from "./access.ts"

export interface NewCommand {
    mote: number
    version: number
    name: string
    author: string
    madeAt: number
    expiresAt: number
    sealed: Uint8Array
    sealedNext: Uint8Array | null
}

export class CommandTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ madeAt, expiresAt, sealedNext, ...command }: NewCommand): Promise<void> {
        await this.access.db
            .insertInto("command")
            .values({ ...command, made_at: madeAt, expires_at: expiresAt, sealed_next: sealedNext })
            .execute()
        this.access.changed("command")
    }

    /** 0 where there was none. */
    async newestVersion(mote: number): Promise<number> {
        const { version } = await this.access.db
            .selectFrom("command")
            .select(({ fn }) => fn.max<number | null>("version").as("version"))
            .where("mote", "=", mote)
            .executeTakeFirstOrThrow()
        return version ?? 0
    }

    /** Ends those that wait: all of a mote, or those of one name. */
    async expire(mote: number, now: number, name?: string): Promise<void> {
        let query = this.access.db
            .updateTable("command")
            .set({ expires_at: now })
            .where("mote", "=", mote)
            .where("expires_at", ">", now)
        if (name !== undefined) query = query.where("name", "=", name)
        await query.execute()
        this.access.changed("command")
    }

    /** Those that wait, of one mote or of all, oldest first. One that was made after `now` is from before the clock was set. */
    async waiting(now: number, mote?: number): Promise<NewCommand[]> {
        let query = this.access.db
            .selectFrom("command")
            .select(["mote", "version", "name", "author", "made_at as madeAt", "expires_at as expiresAt"])
            .select(["sealed", "sealed_next as sealedNext"])
            .where("expires_at", ">", now)
            .where("made_at", "<=", now)
            .orderBy("mote")
            .orderBy("version")
        if (mote !== undefined) query = query.where("mote", "=", mote)
        return await query.execute()
    }

    /** What was sealed for the next secret is what counts; the rest stays as it is. */
    async takeNextSeal(mote: number): Promise<void> {
        await this.access.db
            .updateTable("command")
            .set(({ ref }) => ({ sealed: ref("sealed_next").$notNull(), sealed_next: null }))
            .where("mote", "=", mote)
            .where("sealed_next", "is not", null)
            .execute()
        this.access.changed("command")
    }
}
