import { randomBytes } from "node:crypto"
import { existsSync, renameSync, rmSync } from "node:fs"
import { UserError } from "../../host/errors.ts"
import { readIfThere, syncFolder } from "../../host/files.ts"
import { isSealed, seal, sealingKey } from "../audit/head.ts"
import { rewrapMotes } from "../motes/motes.ts"
import { Vault, vaultKeyBytes } from "../motes/vault.ts"
import { rewrapSecondFactors } from "../people/second-factors.ts"
import { openAlone, type Place } from "../store/place.ts"
import type { Store } from "../store/store.ts"
import {
    decodeClinicKey,
    isRotating,
    keyFile,
    masterOf,
    readClinicKey,
    writeClinicKey,
    type ClinicKey,
    type KeyName,
} from "./clinic-key.ts"
import type { MasterKey } from "./master-key.ts"

/**
 * Puts the clinic's key under another master key. The clinic may run: it has the key in memory. Whoever is killed leaves the file as
 * it was, or as it should be. Throws UserError.
 */
export function rewrapKey(folder: string, old: MasterKey | undefined, next: MasterKey | undefined): void {
    if (next && masterOf(folder) === next.id && !isRotating(folder)) return void present(folder, next)
    writeClinicKey(folder, present(folder, old), next)
}

function present(folder: string, master: MasterKey | undefined): ClinicKey {
    const key = readClinicKey(folder, master)
    if (!key) throw new UserError(`there is no ${keyFile(folder)}`)
    return key
}

/**
 * Replaces the clinic's key, and encrypts all secrets in its database anew. The clinic does not run. Whoever is killed leaves a clinic
 * that starts, with the one or the other master key, and a second rotation ends the first. Throws UserError.
 */
export async function reencrypt(o: {
    folder: string
    database: Place
    old: MasterKey | undefined
    next: MasterKey | undefined
}): Promise<void> {
    const { folder, old, next } = o
    const wasRotating = isRotating(folder)
    if (!wasRotating) present(folder, old)
    const store = await openAlone(o.database, "database")
    try {
        const key = wasRotating
            ? await settle(folder, store, [old, next])
            : { name: "current", ...present(folder, old) }
        // The one before had come so far that it only had to be ended.
        if (key.name === "next") return
        const made: ClinicKey = { secrets: randomBytes(vaultKeyBytes), pseudonyms: key.pseudonyms }
        writeClinicKey(folder, made, next, "next")
        await rewrapAll(store, key, made)
        takeNext(folder)
    } finally {
        await store.close()
    }
}

/**
 * The key of a store, where a rotation was interrupted, which it ends. Throws UserError where neither key can be read with these
 * master keys, or is the one of the store.
 */
export async function settle(
    folder: string,
    store: Store,
    masters: readonly (MasterKey | undefined)[],
): Promise<ClinicKey & { name: KeyName }> {
    for (const name of ["next", "current"] as const) {
        const key = masters.map(master => readable(folder, name, master)).find(Boolean)
        if (!key || !(await isKeyOf(store, key))) continue
        if (name === "next") takeNext(folder)
        else rmSync(keyFile(folder, "next"), { force: true })
        return { ...key, name }
    }
    throw new UserError(
        `a rotation of the key in ${folder} was interrupted, and this is not the master key to end it: give the new one, or the old one`,
    )
}

function readable(folder: string, name: KeyName, master: MasterKey | undefined): ClinicKey | undefined {
    const file = keyFile(folder, name)
    const contents = readIfThere(file)
    try {
        return contents && decodeClinicKey(contents, master, file)
    } catch {
        return undefined
    }
}

function takeNext(folder: string): void {
    if (!existsSync(keyFile(folder, "next"))) return
    renameSync(keyFile(folder, "next"), keyFile(folder))
    syncFolder(folder)
}

/** Whether a store's secrets were encrypted with it; where there are none, whether it sealed the audit record. */
async function isKeyOf(store: Store, { secrets }: ClinicKey): Promise<boolean> {
    const vault = new Vault(secrets, randomBytes)
    try {
        if ((await rewrapMotes(store, vault, undefined, 1)) + (await rewrapSecondFactors(store, vault, undefined)) > 0)
            return true
    } catch {
        return false
    }
    const head = await store.audit.head()
    return !head || isSealed(head, sealingKey(secrets))
}

/** Everything in the database that depends on the clinic's key, in one transaction. */
async function rewrapAll(store: Store, from: ClinicKey, to: ClinicKey): Promise<void> {
    const [old, next] = [from, to].map(({ secrets }) => new Vault(secrets, randomBytes))
    await store.transaction(async t => {
        await rewrapMotes(t, old!, next)
        await rewrapSecondFactors(t, old!, next)
        const head = await t.audit.head()
        // A seal that was forged stays what it is.
        if (head && isSealed(head, sealingKey(from.secrets))) await t.audit.putHead(seal(head, sealingKey(to.secrets)))
    })
}
