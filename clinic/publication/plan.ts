import { isIP } from "node:net"
import { UserError } from "../../host/errors.ts"
import { brokerAccess, type MqttBrokerAccess } from "../../host/mqtt/access.ts"
import { isVitalName, vitalNames, type VitalName } from "../../wire/tables/quantities.ts"

/** What is published where: an explicit choice of the operator. */
export interface PublicationPlan {
    access: MqttBrokerAccess
    /** The wards whose patients are published; undefined for all. */
    wards: ReadonlySet<string> | undefined
    quantities: readonly VitalName[]
    hasAlarms: boolean
    /** Messages have the patient's name, identifier and bed, and not a pseudonym only. */
    hasNames: boolean
    /** The first level of all topics. */
    prefix: string
    isForHomeAssistant: boolean
}

/** The choice as it is written on the command line. */
export interface PublicationFlags {
    publish?: string
    publishCa?: string
    publishWards?: string
    publishData?: string
    publishNames?: boolean
    publishPrefix: string
    publishHomeAssistant?: boolean
}

const allData = [...vitalNames, "alarms"] as const
export const publishedData = allData.join(", ")

/**
 * Reads the choice. Returns undefined if nothing is published.
 * @param ca the certificate authority of the broker, PEM
 * @throws UserError, which never quotes the URL, because it may contain a password
 */
export function publicationPlan(flags: PublicationFlags, ca: string | undefined): PublicationPlan | undefined {
    const { publish, publishWards, publishData, publishPrefix } = flags
    if (publish === undefined) {
        if (publishWards !== undefined || publishData !== undefined || flags.publishHomeAssistant)
            throw new UserError("--publish: the address of a broker is needed, too", 2)
        return undefined
    }
    const wards = listed(publishWards)
    if (wards.length === 0) throw new UserError("--publish-wards: name the wards, or * for all", 2)
    const data = listed(publishData)
    const unknown = data.find(name => !allData.some(known => known === name))
    if (data.length === 0 || unknown !== undefined)
        throw new UserError(`--publish-data: name some of ${publishedData}, separated by commas`, 2)
    if (!/^[\w.-]{1,64}(\/[\w.-]{1,64}){0,3}$/.test(publishPrefix))
        throw new UserError("--publish-prefix: expected levels of letters, digits, ., - and _", 2)
    return {
        access: accessTo(publish, ca),
        wards: wards.includes("*") ? undefined : new Set(wards),
        quantities: data.filter(isVitalName),
        hasAlarms: data.includes("alarms"),
        hasNames: flags.publishNames ?? false,
        prefix: publishPrefix,
        isForHomeAssistant: flags.publishHomeAssistant ?? false,
    }
}

function listed(text = ""): string[] {
    return text
        .split(",")
        .map(name => name.trim())
        .filter(name => name !== "")
}

/** In the clear only within this machine. */
function accessTo(text: string, ca: string | undefined): MqttBrokerAccess {
    let access: MqttBrokerAccess
    try {
        access = brokerAccess(text, ca)
    } catch (error) {
        throw new UserError(`--publish: ${(error as Error).message}`, 2)
    }
    const { protocol, hostname } = new URL(access.url.replace(/^mqtt/, "http"))
    const host = hostname.replace(/^\[(.*)\]$/, "$1")
    const isHere = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
    if (protocol === "http:" && !isHere)
        throw new UserError("--publish: vital signs leave this machine by mqtts:// only", 2)
    return access
}
