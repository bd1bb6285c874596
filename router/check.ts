import { existsSync } from "node:fs"
import { join } from "node:path"
import { checkFolder, complaints } from "../host/check.ts"
import { reasonOf } from "../host/errors.ts"
import { closeSqlite, lockSqlite } from "../host/sqlite.ts"
import type { ClinicLink } from "./clinic-link.ts"
import { format } from "./store/schema.ts"

/**
 * What is wrong with a router's data folder, each fault in a line, without a change of it.
 * @param isRunning a router is at work there, and has its store to itself
 */
export async function checkRouterData(data: string, isRunning: boolean): Promise<string[]> {
    const file = join(data, "router.db")
    const faults = await complaints(() => checkFolder(data))
    if (isRunning || !existsSync(file)) return faults
    return [...faults, ...(await complaints(() => closeSqlite(lockSqlite(file, format))))]
}

/** Why the clinic gives this router no keys, if it does not. `where`: the flag, or the name in a file, that says which clinic. */
export async function checkClinic(clinic: ClinicLink, url: string, where: string): Promise<string[]> {
    try {
        await clinic.keys()
        return []
    } catch (error) {
        return [
            `${where}: no keys from ${url}: ${reasonOf((error as { cause?: Error }).cause ?? error)}; ${hint(error)}`,
        ]
    } finally {
        await clinic.close?.()
    }
}

function hint(error: unknown): string {
    const { status, code } = error as { status?: number; code?: string }
    if (status === 401 || status === 403)
        return "is --token that of a router's account, and not revoked? Does the clinic ask for --client-cert?"
    if (status !== undefined) return "is that a clinic?"
    if (code !== undefined && /CERT|SIGN|ISSUER|ALTNAME/.test(code))
        return "is --ca the authority of its certificate, and does that name the address?"
    return "does the clinic run, and can this machine reach it?"
}
