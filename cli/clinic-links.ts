import type { Command } from "commander"
import { readBounded } from "../host/bounded-file.ts"
import { readCertificate } from "../host/certificate.ts"
import { complaints } from "../host/check.ts"
import { UserError } from "../host/errors.ts"
import { eui } from "../wire/keys.ts"
import {
    checkClinic,
    httpsClinic,
    isOne,
    readClinics,
    type ClinicConfiguration,
    type NamedClinic,
} from "../router/index.ts"

export interface ClinicOptions {
    clinic: string
    ca?: string
    clientCert?: string
    clientKey?: string
    token?: string
    clinics?: string
}

const maxPemBytes = 1e6
const ofOne = ["clinic", "ca", "clientCert", "clientKey", "token"]

/** The clinic of `--clinic`, or those of `--clinics`. Throws UserError. */
export function clinicsOf(options: ClinicOptions, command: Command): ClinicConfiguration[] {
    if (options.clinics === undefined) {
        if (options.token === undefined) throw new UserError("required option '--token <token>' not specified", 2)
        return [{ ...options, name: "", url: options.clinic, token: options.token }]
    }
    for (const name of ofOne) {
        const source = command.getOptionValueSource(name)
        if (source === undefined || source === "default") continue
        const { flags } = command.options.find(one => one.attributeName() === name)!
        throw new UserError(`${flags} is for one clinic: with --clinics it stands in that file`, 2)
    }
    return readClinics(options.clinics)
}

/** Connects to a clinic. Throws UserError for files that cannot be used. */
export function linkOf({ name, url, token, ca, clientCert, clientKey, motes }: ClinicConfiguration): NamedClinic {
    if (clientCert === undefined && clientKey !== undefined)
        throw new UserError("--client-key: --client-cert is needed, too", 2)
    const client =
        clientCert === undefined ? undefined : readCertificate({ cert: clientCert, key: clientKey ?? clientCert })
    const link = httpsClinic({
        ...{ url, token },
        ...(ca !== undefined && { ca: readBounded(ca, maxPemBytes).toString("utf8") }),
        ...(client && { client: { cert: client.cert, key: client.key } }),
    })
    return { name, link, ...(motes && { mayServe: (one: string) => isOne(motes, one) }) }
}

/** Why some of the clinics give this router no keys, and which motes are known to two of them. */
export async function checkClinics(clinics: ClinicConfiguration[]): Promise<string[]> {
    const knownTo = new Map<string, string[]>()
    const faults = await Promise.all(
        clinics.map(async clinic => {
            let reached: string[] = []
            const unusable = await complaints(async () => {
                const { link, mayServe = () => true } = linkOf(clinic)
                const noted = {
                    ...link,
                    keys: async () => {
                        const keys = await link.keys()
                        for (const one of new Set(keys.map(({ kid }) => eui(kid))))
                            if (mayServe(one)) knownTo.set(one, [...(knownTo.get(one) ?? []), clinic.name])
                        return keys
                    },
                }
                reached = await checkClinic(noted, clinic.url, clinic.name || "--clinic")
            })
            return [...unusable, ...reached]
        }),
    )
    const twice = [...knownTo].filter(([, names]) => names.length > 1)
    return [
        ...faults.flat(),
        ...twice.map(
            ([one, names]) =>
                `mote ${one} is known to ${names.join(" and ")}: revoke it at one, or give "motes" in the file of --clinics`,
        ),
    ]
}
