import { join } from "node:path"
import type { CertificateFiles } from "../../host/certificate.ts"
import { checkPort, complaints } from "../../host/check.ts"
import { checkRouterData, type ClinicConfiguration } from "../../router/index.ts"
import { checkClinics } from "../clinic-links.ts"
import { checkCertificate } from "./clinic.ts"

export interface RouterConfiguration {
    data: string
    /** Each with its flag. */
    ports: { flag: string; host: string; port: number }[]
    certificate?: CertificateFiles
    clinics: ClinicConfiguration[]
    /** Where the router would serve its page, if it ran. */
    page: string
}

/** Everything that would stop a router, or keep it from the clinic. Nothing is written. */
export async function checkRouterConfiguration(o: RouterConfiguration): Promise<{ faults: string[]; notes: string[] }> {
    const isRunning = await answers(`${o.page}/livez`)
    const { certificate } = o
    const ports = isRunning ? [] : o.ports
    const faults = [
        await checkRouterData(join(o.data, "router"), isRunning),
        ...(await Promise.all(ports.map(({ flag, host, port }) => complaints(() => checkPort(host, port, flag))))),
        certificate ? await complaints(() => checkCertificate(certificate)) : [],
    ]
    const reached = await checkClinics(o.clinics)
    const notes = isRunning ? [`a router answers at ${o.page}: its ports and store were not checked`] : []
    return { faults: [...faults.flat(), ...reached], notes }
}

async function answers(url: string): Promise<boolean> {
    try {
        const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
        return response.ok
    } catch {
        return false
    }
}
