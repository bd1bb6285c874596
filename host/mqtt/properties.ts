import type { Packet } from "./packet.ts"
import { malformed, type Reader } from "./reader.ts"
import { MqttError, Reason } from "./reason.ts"
import { Writer } from "./writer.ts"

/** The properties of a packet or a last will, MQTT 5 §2.2.2. Times are in seconds, sizes in bytes. */
export interface Properties {
    payloadFormat?: number
    messageExpiry?: number
    contentType?: string
    responseTopic?: string
    correlationData?: Uint8Array
    subscriptionIds?: number[]
    sessionExpiry?: number
    assignedClientId?: string
    serverKeepAlive?: number
    authenticationMethod?: string
    authenticationData?: Uint8Array
    requestProblemInformation?: number
    willDelay?: number
    requestResponseInformation?: number
    responseInformation?: string
    serverReference?: string
    reasonString?: string
    receiveMaximum?: number
    topicAliasMaximum?: number
    topicAlias?: number
    maximumQos?: number
    retainAvailable?: number
    userProperties?: [name: string, value: string][]
    maximumPacketSize?: number
    wildcardAvailable?: number
    subscriptionIdsAvailable?: number
    sharedAvailable?: number
}

/** The user properties of a packet that are kept. Others are skipped. */
export const maxUserProperties = 32

/** Where properties are: in a packet, or in the last will of CONNECT. */
export type PropertyPlace = Packet["kind"] | "will"
type Type = "flag" | "uint16" | "positive16" | "uint32" | "positive32" | "string" | "binary"
type Name = Exclude<keyof Properties, "userProperties" | "subscriptionIds">

/** §2.2.2.2, with the places where a property may be. The two that may be there more than once are not in the table. */
const table: Record<Name, [id: number, type: Type, ...places: PropertyPlace[]]> = {
    payloadFormat: [1, "flag", "publish", "will"],
    messageExpiry: [2, "uint32", "publish", "will"],
    contentType: [3, "string", "publish", "will"],
    responseTopic: [8, "string", "publish", "will"],
    correlationData: [9, "binary", "publish", "will"],
    sessionExpiry: [17, "uint32", "connect", "connack", "disconnect"],
    assignedClientId: [18, "string", "connack"],
    serverKeepAlive: [19, "uint16", "connack"],
    authenticationMethod: [21, "string", "connect", "connack"],
    authenticationData: [22, "binary", "connect", "connack"],
    requestProblemInformation: [23, "flag", "connect"],
    willDelay: [24, "uint32", "will"],
    requestResponseInformation: [25, "flag", "connect"],
    responseInformation: [26, "string", "connack"],
    serverReference: [28, "string", "connack", "disconnect"],
    reasonString: [31, "string", "connack", "puback", "suback", "unsuback", "disconnect"],
    receiveMaximum: [33, "positive16", "connect", "connack"],
    topicAliasMaximum: [34, "uint16", "connect", "connack"],
    topicAlias: [35, "uint16", "publish"],
    maximumQos: [36, "flag", "connack"],
    retainAvailable: [37, "flag", "connack"],
    maximumPacketSize: [39, "positive32", "connect", "connack"],
    wildcardAvailable: [40, "flag", "connack"],
    subscriptionIdsAvailable: [41, "flag", "connack"],
    sharedAvailable: [42, "flag", "connack"],
}
const subscriptionId = 11
const userProperty = 38

const entries = Object.entries(table) as [Name, (typeof table)[Name]][]
const byId = new Map(entries.map(([name, [id, type, ...places]]) => [id, { name, type, places: new Set(places) }]))

/** Reads the properties of a packet. Throws MqttError for one that must not be there, or that is there twice. */
export function readProperties(reader: Reader, place: PropertyPlace): Properties | undefined {
    const part = reader.part()
    if (part.isAtEnd) return undefined
    const properties: Properties = {}
    while (!part.isAtEnd) {
        const id = part.varint()
        if (id === userProperty) {
            const pair: [string, string] = [part.string(), part.string()]
            const kept = (properties.userProperties ??= [])
            if (kept.length < maxUserProperties) kept.push(pair)
        } else if (id === subscriptionId && (place === "publish" || place === "subscribe"))
            readSubscriptionId(part, place, properties)
        else {
            const known = byId.get(id)
            if (!known?.places.has(place)) throw malformed(`property ${id} in ${place}`)
            const { name, type } = known
            if (properties[name] !== undefined)
                throw new MqttError(Reason.protocolError, `property ${id} is there twice`)
            Object.assign(properties, { [name]: readValue(part, type) })
        }
    }
    if (properties.topicAlias === 0) throw new MqttError(Reason.topicAliasInvalid, "topic alias 0")
    return properties
}

function readSubscriptionId(part: Reader, place: PropertyPlace, properties: Properties): void {
    const value = part.varint()
    const ids = (properties.subscriptionIds ??= [])
    if (value === 0 || (place === "subscribe" && ids.length > 0))
        throw new MqttError(Reason.protocolError, "subscription identifier")
    if (ids.length < maxUserProperties) ids.push(value)
}

function readValue(reader: Reader, type: Type): number | string | Uint8Array {
    switch (type) {
        case "flag": {
            const value = reader.byte()
            if (value > 1) throw new MqttError(Reason.protocolError, "a flag is 0 or 1")
            return value
        }
        case "uint16":
            return reader.uint16()
        case "uint32":
            return reader.uint32()
        case "positive16":
            return positive(reader.uint16())
        case "positive32":
            return positive(reader.uint32())
        case "string":
            return reader.string()
        case "binary":
            return reader.binary()
    }
}

function positive(value: number): number {
    if (value === 0) throw new MqttError(Reason.protocolError, "a maximum is not 0")
    return value
}

/** Writes the length of the properties and the properties. */
export function writeProperties(writer: Writer, properties: Properties | undefined): void {
    if (!properties) return writer.byte(0)
    const inner = new Writer(64)
    for (const [name, [id, type]] of entries) {
        const value = properties[name]
        if (value === undefined) continue
        inner.byte(id)
        if (type === "flag") inner.byte(value as number)
        else if (type === "uint16" || type === "positive16") inner.uint16(value as number)
        else if (type === "uint32" || type === "positive32") inner.uint32(value as number)
        else if (type === "string") inner.string(value as string)
        else inner.binary(value as Uint8Array)
    }
    for (const id of properties.subscriptionIds ?? []) {
        inner.byte(subscriptionId)
        inner.varint(id)
    }
    for (const [name, value] of properties.userProperties ?? []) {
        inner.byte(userProperty)
        inner.string(name)
        inner.string(value)
    }
    writer.varint(inner.length)
    writer.raw(inner.written)
}
