import { createPrivateKey, X509Certificate } from "node:crypto"
import { existsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { checkFolder, complaints } from "../host/check.ts"
import { UserError } from "../host/errors.ts"
import { readIfThere } from "../host/files.ts"
import { closeSqlite, lockSqlite } from "../host/sqlite.ts"
import { restoringSuffix } from "./backup/contents.ts"
import { checkClinicKey } from "./keys/clinic-key.ts"
import type { MasterKey } from "./keys/master-key.ts"
import { checkPostgres } from "./store/postgres/open.ts"
import { databaseFormat } from "./store/sqlite/open.ts"

/** Throws UserError where a restore did not come to its end. */
export function refuseRestoring(data: string): void {
    const draft = data + restoringSuffix
    if (!existsSync(draft)) return
    throw new UserError(
        `a restore into ${dirname(data)} was interrupted, or is at work: remove ${draft} and restore again`,
    )
}

/** What a clinic leaves beside its database comes after it: a folder with the one and without the other is no new clinic. */
export function refuseRemains(data: string): void {
    const database = join(data, "clinic.db")
    if ((statSync(database, { throwIfNoEntry: false })?.size ?? 0) > 0) return
    for (const name of ["ca.pem", "ca-key.pem", "server.pem"])
        if (existsSync(join(data, name)))
            throw new UserError(
                `${database} is missing or empty, but ${name} is there: restore the database, or use another --data folder`,
            )
}

/**
 * What is wrong with a clinic's data folder, each fault in a line, without a change of it.
 * @param o.isRunning a clinic is at work there, and has its database to itself
 * @param o.database URL of PostgreSQL, where the database is not in the folder
 * @param o.master the key around the clinic's own
 */
export async function checkClinicData(
    data: string,
    o: { isRunning: boolean; database?: string; master?: () => Promise<MasterKey | undefined> },
): Promise<string[]> {
    const { isRunning } = o
    const elsewhere = o.database
    const database = join(data, "clinic.db")
    const faults = [
        await complaints(() => checkFolder(data)),
        await complaints(() => refuseRestoring(data)),
        elsewhere === undefined ? await complaints(() => refuseRemains(data)) : [],
        await complaints(async () => checkClinicKey(data, await o.master?.())),
        await complaints(() => checkAuthority(data)),
    ].flat()
    if (elsewhere !== undefined) return [...faults, ...(await complaints(() => checkPostgres(elsewhere)))]
    if (isRunning || !existsSync(database)) return faults
    return [...faults, ...(await complaints(() => closeSqlite(lockSqlite(database, databaseFormat))))]
}

function checkAuthority(data: string): void {
    const [file, keyFile] = [join(data, "ca.pem"), join(data, "ca-key.pem")]
    const [pem, key] = [readIfThere(file), readIfThere(keyFile)]
    if (!pem) return
    let authority: X509Certificate
    try {
        authority = new X509Certificate(pem)
    } catch {
        throw new UserError(`${file} is not a certificate: restore it, or remove it to make a new one for all clients`)
    }
    try {
        if (key && authority.checkPrivateKey(createPrivateKey(key))) return
    } catch {
        // It is no key at all.
    }
    throw new UserError(`${keyFile} is not the key of ca.pem: restore it, or remove both to make new ones`)
}
