/** Dynamic Host Configuration Protocol (RFC 2131), as far as one client with one address needs it. */
const BOOTREQUEST = 1
const BOOTREPLY = 2
const cookie = 0x63825363
const optionsAt = 240

const SUBNET_MASK = 1
const ROUTER = 3
const DOMAIN_NAME_SERVER = 6
const LEASE_TIME = 51
const MESSAGE_TYPE = 53
const SERVER_IDENTIFIER = 54
const END = 255

const DISCOVER = 1
const OFFER = 2
const REQUEST = 3
const ACKNOWLEDGEMENT = 5
const leaseS = 86_400
const mask = 0xffff0000

/** @returns undefined where nothing is to be answered */
export function dhcpReply(request: Buffer, addresses: { server: number; client: number }): Buffer | undefined {
    if (request.length < optionsAt || request[0] !== BOOTREQUEST || request.readUInt32BE(236) !== cookie)
        return undefined
    const type = option(request, MESSAGE_TYPE)?.[0]
    const answer = type === DISCOVER ? OFFER : type === REQUEST ? ACKNOWLEDGEMENT : undefined
    if (answer === undefined) return undefined
    const { server, client } = addresses
    const head = Buffer.alloc(optionsAt)
    head.set([BOOTREPLY, 1, 6, 0])
    head.set(request.subarray(4, 8), 4)
    head.set(request.subarray(10, 12), 10)
    head.writeUInt32BE(client, 16)
    head.writeUInt32BE(server, 20)
    head.set(request.subarray(28, 44), 28)
    head.writeUInt32BE(cookie, 236)
    const number = (code: number, value: number) => {
        const bytes = Buffer.alloc(6)
        bytes.set([code, 4])
        bytes.writeUInt32BE(value >>> 0, 2)
        return bytes
    }
    return Buffer.concat([
        head,
        Buffer.of(MESSAGE_TYPE, 1, answer),
        number(SERVER_IDENTIFIER, server),
        number(LEASE_TIME, leaseS),
        number(SUBNET_MASK, mask),
        number(ROUTER, server),
        number(DOMAIN_NAME_SERVER, server),
        Buffer.of(END),
    ])
}

function option(message: Buffer, wanted: number): Buffer | undefined {
    for (let at = optionsAt; at + 1 < message.length && message[at] !== END;) {
        if (message[at] === 0) {
            at++
            continue
        }
        const length = message[at + 1]!
        if (message[at] === wanted) return message.subarray(at + 2, at + 2 + length)
        at += 2 + length
    }
    return undefined
}
