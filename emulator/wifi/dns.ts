/** Domain names (RFC 1035, section 4): one question for an IPv4 address, one answer. */
const headerBytes = 12
const QUERY_FLAGS = 0x7800
const RESPONSE = 0x8180
const NAME_ERROR = 3
const TYPE_A = 1
const CLASS_IN = 1
const questionPointer = 0xc00c

/** @param address of a name; undefined where there is none @returns undefined where nothing is to be answered */
export function dnsReply(
    query: Buffer,
    address: (name: string) => number | undefined,
    ttlS: number,
): Buffer | undefined {
    if (query.length < headerBytes || query.readUInt16BE(2) & (0x8000 | QUERY_FLAGS) || query.readUInt16BE(4) !== 1)
        return undefined
    const labels: string[] = []
    let at = headerBytes
    for (let length; (length = query[at]) !== 0; at += 1 + length) {
        if (length === undefined || length > 63 || at + 1 + length > query.length) return undefined
        labels.push(query.toString("latin1", at + 1, at + 1 + length))
    }
    const end = at + 5
    if (end > query.length) return undefined
    const question = query.subarray(headerBytes, end)
    const isAddress = query.readUInt16BE(at + 1) === TYPE_A && query.readUInt16BE(at + 3) === CLASS_IN
    const found = isAddress ? address(labels.join(".").toLowerCase()) : undefined
    const header = Buffer.alloc(headerBytes)
    header.writeUInt16BE(query.readUInt16BE(0), 0)
    header.writeUInt16BE(RESPONSE | (isAddress && found === undefined ? NAME_ERROR : 0), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(found === undefined ? 0 : 1, 6)
    if (found === undefined) return Buffer.concat([header, question])
    const answer = Buffer.alloc(16)
    answer.writeUInt16BE(questionPointer, 0)
    answer.writeUInt16BE(TYPE_A, 2)
    answer.writeUInt16BE(CLASS_IN, 4)
    answer.writeUInt32BE(ttlS, 6)
    answer.writeUInt16BE(4, 10)
    answer.writeUInt32BE(found, 12)
    return Buffer.concat([header, question, answer])
}
