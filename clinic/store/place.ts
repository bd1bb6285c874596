import { statSync } from "node:fs"
import { join } from "node:path"
import { UserError } from "../../host/errors.ts"
import { isEmpty } from "./copy.ts"
import { openPostgres } from "./postgres/open.ts"
import { openSqlite } from "./sqlite/open.ts"
import type { Store } from "./store.ts"

/** Where a clinic's database is: a URL of PostgreSQL, or in the clinic's own folder. */
export type Place = { url: string } | { folder: string }

export const databaseName = "clinic.db"

/**
 * Opens a database that no clinic has open. Throws UserError.
 * @param what names it for people
 */
export async function openAlone(place: Place, what: string): Promise<Store> {
    if ("url" in place) return await unshared(await openPostgres(place.url), what)
    const file = join(place.folder, databaseName)
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) throw new UserError(`there is no ${file}`)
    return openSqlite(file)
}

/** Opens a database of PostgreSQL in which there is nothing yet. Throws UserError. */
export async function openEmpty({ url }: { url: string }): Promise<Store> {
    const store = await unshared(await openPostgres(url), "target")
    if (await isEmpty(store)) return store
    await store.close()
    throw new UserError("the target is not empty: it is never overwritten")
}

/** A clinic that runs would write meanwhile. */
async function unshared(store: Store, what: string): Promise<Store> {
    if ((await store.living()).size === 1) return store
    await store.close()
    throw new UserError(`a clinic has the ${what} open: stop it`)
}
