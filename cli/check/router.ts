import { join } from "node:path"
import type { CertificateFiles } from "../../host/certificate.ts"
import { checkPort, complaints } from "../../host/check.ts"
import { checkClinic, checkRouterData, httpsClinic } from "../../router/index.ts"
import { checkCertificate } from "./clinic.ts"

/** The router's own, if it has one. */
interface ClientCertificate {
    client?: { cert: string; key: string }
}

export interface RouterConfiguration {
    data: string
    /** Each with its flag. */
    ports: { flag: string; host: string; port: number }[]
    certificate?: CertificateFiles
    clinic: { url: string; token: string; ca?: () => string; client?: () => ClientCertificate }
    /** Where the router would serve its page, if it ran. */
    page: string
}

/** Everything that would stop a router, or keep it from the clinic. Nothing is written. */
export async function checkRouterConfiguration(o: RouterConfiguration): Promise<{ faults: string[]; notes: string[] }> {
    const isRunning = await answers(`${o.page}/livez`)
    const { certificate, clinic } = o
    const ports = isRunning ? [] : o.ports
    const faults = [
        await checkRouterData(join(o.data, "router"), isRunning),
        ...(await Promise.all(ports.map(({ flag, host, port }) => complaints(() => checkPort(host, port, flag))))),
        certificate ? await complaints(() => checkCertificate(certificate)) : [],
    ]
    let reached: string[] = []
    const unusable = await complaints(async () => {
        const { url, token } = clinic
        const ca = clinic.ca?.()
        const link = httpsClinic({ url, token, ...(ca !== undefined && { ca }), ...clinic.client?.() })
        reached = await checkClinic(link, url)
    })
    const notes = isRunning ? [`a router answers at ${o.page}: its ports and store were not checked`] : []
    return { faults: [...faults.flat(), ...unusable, ...reached], notes }
}

async function answers(url: string): Promise<boolean> {
    try {
        const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
        return response.ok
    } catch {
        return false
    }
}
