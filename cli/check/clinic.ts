import { join } from "node:path"
import { checkClinicData, type MasterKey, parseRoute, proxyCheck, publicAddress } from "../../clinic/index.ts"
import { readCertificate, timeFault, type CertificateFiles } from "../../host/certificate.ts"
import { checkFolder, checkPort, complaints } from "../../host/check.ts"
import { UserError } from "../../host/errors.ts"
import { readCredentials } from "../credentials.ts"
import { localAccess } from "../local-access.ts"

export interface ClinicConfiguration {
    data: string
    database?: string
    host: string
    httpsPort: number
    certificate?: CertificateFiles
    baseUrl?: string
    trustedProxies?: string[]
    notify?: string[]
    backup?: string
    master?: () => Promise<MasterKey | undefined>
}

/** Everything that would stop a clinic, or make its clients refuse it. Nothing is written. */
export async function checkClinicConfiguration(o: ClinicConfiguration): Promise<{ faults: string[]; notes: string[] }> {
    const isRunning = (await localAccess(o.data)) !== undefined
    const { certificate, baseUrl, backup } = o
    const faults = [
        await checkClinicData(join(o.data, "clinic"), {
            ...{ isRunning, ...(o.database !== undefined && { database: o.database }) },
            ...(o.master && { master: o.master }),
        }),
        await complaints(() => readCredentials(join(o.data, "credentials.json"))),
        isRunning ? [] : await complaints(() => checkPort(o.host, o.httpsPort, "--https-port")),
        certificate ? await complaints(() => checkCertificate(certificate)) : [],
        baseUrl === undefined ? [] : await complaints(() => publicAddress(baseUrl)),
        await complaints(() => proxyCheck(o.trustedProxies)),
        backup === undefined ? [] : await complaints(() => checkFolder(backup)),
        ...(await Promise.all((o.notify ?? []).map(text => complaints(() => parseRoute(text, undefined, Date.now))))),
    ]
    const notes = isRunning ? ["a clinic runs on this data folder: its port and database were not checked"] : []
    return { faults: faults.flat(), notes }
}

/** Throws UserError for files that do not match, or that clients would refuse today. */
export function checkCertificate(files: CertificateFiles): void {
    const fault = timeFault(readCertificate(files).cert, Date.now())
    if (fault !== undefined) throw new UserError(`${files.cert}: ${fault}; ask for a new one, or set the clock`)
}
