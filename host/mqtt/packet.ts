import type { Properties } from "./properties.ts"

/** The protocol version: 4 is MQTT 3.1.1, 5 is MQTT 5. Only the latter has properties and reason codes. */
export type Version = 4 | 5
export type Qos = 0 | 1 | 2

export interface Will {
    topic: string
    payload: Uint8Array
    qos: Qos
    retain: boolean
    properties?: Properties
}

export interface Connect {
    kind: "connect"
    version: Version
    clientId: string
    /** Clean Start, in MQTT 3.1.1 Clean Session. */
    clean: boolean
    /** In seconds, 0 for none. */
    keepAlive: number
    user?: string
    password?: Uint8Array
    will?: Will
    properties?: Properties
}

export interface Connack {
    kind: "connack"
    sessionPresent: boolean
    /** A reason code, in MQTT 3.1.1 a return code. */
    code: number
    properties?: Properties
}

export interface Publish {
    kind: "publish"
    /** Empty if `properties` has an alias for it. */
    topic: string
    payload: Uint8Array
    qos: Qos
    retain: boolean
    dup: boolean
    /** The packet identifier, 0 for QoS 0. */
    id: number
    properties?: Properties
}

export interface Subscription {
    filter: string
    qos: Qos
    noLocal?: boolean
    retainAsPublished?: boolean
    /** 0: send retained messages; 1: only if the subscription is new; 2: do not. */
    retainHandling?: 0 | 1 | 2
}

/** The packets but CONNECT, CONNACK and PUBLISH that have a packet identifier. */
export interface Puback {
    kind: "puback"
    id: number
    code: number
    properties?: Properties
}
export interface Subscribe {
    kind: "subscribe"
    id: number
    subscriptions: Subscription[]
    properties?: Properties
}
export interface Suback {
    kind: "suback"
    id: number
    codes: number[]
    properties?: Properties
}
export interface Unsubscribe {
    kind: "unsubscribe"
    id: number
    filters: string[]
    properties?: Properties
}
export interface Unsuback {
    kind: "unsuback"
    id: number
    /** Empty in MQTT 3.1.1. */
    codes: number[]
    properties?: Properties
}

export interface Disconnect {
    kind: "disconnect"
    code: number
    properties?: Properties
}

export type Packet =
    | (Connect | Connack | Publish | Puback | Subscribe | Suback | Unsubscribe | Unsuback | Disconnect)
    | { kind: "pingreq" }
    | { kind: "pingresp" }

/** The type in the fixed header (§2.1.2), and the flags that it must have, unless they have a meaning. */
export const types = {
    connect: { type: 1, flags: 0 },
    connack: { type: 2, flags: 0 },
    publish: { type: 3, flags: undefined },
    puback: { type: 4, flags: 0 },
    subscribe: { type: 8, flags: 2 },
    suback: { type: 9, flags: 0 },
    unsubscribe: { type: 10, flags: 2 },
    unsuback: { type: 11, flags: 0 },
    pingreq: { type: 12, flags: 0 },
    pingresp: { type: 13, flags: 0 },
    disconnect: { type: 14, flags: 0 },
} as const satisfies Record<Packet["kind"], object>
