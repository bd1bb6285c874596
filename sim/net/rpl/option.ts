import { PacketError, Reader, Writer } from "../bytes.ts"

/*
 * The RPL option in the hop-by-hop header of every packet in the network (RFC 6553), which detects loops and wrong
 * routes.
 */

const optionType = 0x63
const optionBytes = 4

export interface RplOption {
    /** The packet travels down, away from the root. */
    down: boolean
    /** An earlier hop violated the rank order. */
    rankError: boolean
    /** A node below had no route. */
    forwardingError: boolean
    instance: number
    senderRank: number
}

/** Encodes the data of a hop-by-hop options header with the RPL option. */
export function encodeRplOption(option: RplOption): Uint8Array {
    const flags = (option.down ? 0x80 : 0) | (option.rankError ? 0x40 : 0) | (option.forwardingError ? 0x20 : 0)
    const writer = new Writer(2 + optionBytes).u8(optionType).u8(optionBytes)
    return writer.u8(flags).u8(option.instance).u16(option.senderRank).done()
}

/** Decodes the RPL option of a hop-by-hop options header, if there is one. @throws PacketError */
export function decodeRplOption(data: Uint8Array): RplOption | undefined {
    const reader = new Reader(data)
    while (reader.left) {
        const type = reader.u8()
        if (type === 0) continue
        const option = new Reader(reader.take(reader.u8()))
        if (type === optionType) {
            const flags = option.u8()
            return {
                down: (flags & 0x80) !== 0,
                rankError: (flags & 0x40) !== 0,
                forwardingError: (flags & 0x20) !== 0,
                instance: option.u8(),
                senderRank: option.u16(),
            }
        }
        // RFC 8200 §4.2: the two highest bits define how to handle an unknown option.
        if (type >> 6) throw new PacketError("unknown option")
    }
    return undefined
}
