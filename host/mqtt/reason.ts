/** Reason codes of MQTT 5 §2.4, as far as they are used here. */
export const Reason = {
    success: 0x00,
    disconnectWithWill: 0x04,
    noMatchingSubscribers: 0x10,
    noSubscriptionExisted: 0x11,
    unspecified: 0x80,
    malformedPacket: 0x81,
    protocolError: 0x82,
    implementationSpecific: 0x83,
    unsupportedVersion: 0x84,
    identifierNotValid: 0x85,
    badUserNameOrPassword: 0x86,
    notAuthorized: 0x87,
    serverUnavailable: 0x88,
    shuttingDown: 0x8b,
    badAuthenticationMethod: 0x8c,
    keepAliveTimeout: 0x8d,
    sessionTakenOver: 0x8e,
    filterInvalid: 0x8f,
    topicNameInvalid: 0x90,
    receiveMaximumExceeded: 0x93,
    topicAliasInvalid: 0x94,
    packetTooLarge: 0x95,
    messageRateTooHigh: 0x96,
    quotaExceeded: 0x97,
    administrativeAction: 0x98,
    payloadFormatInvalid: 0x99,
    qosNotSupported: 0x9b,
    sharedSubscriptionsNotSupported: 0x9e,
    subscriptionIdentifiersNotSupported: 0xa1,
} as const
export type Reason = (typeof Reason)[keyof typeof Reason]

/** The peer has broken the protocol. `message` says how; it contains nothing that the peer sent. */
export class MqttError extends Error {
    readonly code: Reason

    constructor(code: Reason, message: string) {
        super(message)
        this.name = "MqttError"
        this.code = code
    }
}

const returnCodes: Partial<Record<Reason, number>> = {
    [Reason.success]: 0,
    [Reason.unsupportedVersion]: 1,
    [Reason.identifierNotValid]: 2,
    [Reason.badUserNameOrPassword]: 4,
    [Reason.notAuthorized]: 5,
    [Reason.badAuthenticationMethod]: 5,
}
const serverUnavailable = 3

/** Returns the return code of a CONNACK of MQTT 3.1.1 (§3.2.2.3) for a reason code of MQTT 5. */
export function connectReturnCode(code: Reason): number {
    return returnCodes[code] ?? serverUnavailable
}
