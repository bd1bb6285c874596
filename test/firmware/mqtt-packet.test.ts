import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { generate, type Packet } from "mqtt-packet"
import { openChannel } from "./channel.ts"
import { runs } from "../support/long.ts"

const channel = openChannel("test/src/mqtt.ts")

/** The firmware's result for `stream` in two pieces. */
async function read(stream: Uint8Array, split = 0): Promise<Buffer> {
    const question = Buffer.alloc(2 + stream.length)
    question.writeUInt16LE(split)
    question.set(stream, 2)
    return (await channel).ask(question)
}

async function problem(hex: string): Promise<string> {
    return (await read(Buffer.from(hex.replaceAll(" ", ""), "hex"))).toString()
}

interface Facts {
    type: number
    id?: number
    topic?: string
    payload?: Uint8Array
}

/** The expected result of `test/src/mqtt.ts` for these packets. */
function facts(packets: Facts[]): Buffer {
    const found = packets.map(({ type, id = 0, topic = "", payload = Buffer.alloc(0) }) => {
        const name = Buffer.from(topic)
        const head = Buffer.alloc(7)
        head[0] = type
        head.writeUInt16LE(id, 1)
        head.writeUInt16LE(name.length, 3)
        head.writeUInt16LE(payload.length, 5)
        return Buffer.concat([head, name, payload])
    })
    return Buffer.concat([Buffer.from("."), ...found])
}

/** A server's packet in bytes from an independent codec, with its content. */
type Case = { bytes: Buffer; facts: Facts }
const made = (packet: Packet, facts: Facts): Case => ({ bytes: generate(packet), facts })

const id = fc.integer({ min: 1, max: 65535 })
const topic = fc.oneof(
    fc.constantFrom("vm/0011223344556677/config", "vm/0011223344556677/receipt"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter(s => !/[#+\0]/.test(s)),
)
const payload = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    // Around the lengths at which the Remaining Length takes another byte.
    fc.uint8Array({ minLength: 95, maxLength: 130 }),
)
const anyPacket: fc.Arbitrary<Case> = fc.oneof(
    fc
        .constantFrom(0, 5)
        .map(code =>
            made(
                { cmd: "connack", returnCode: code, sessionPresent: false },
                { type: 0x20, payload: Uint8Array.of(code) },
            ),
        ),
    fc
        .record({
            id,
            topic,
            payload,
            qos: fc.constantFrom(0, 1),
            dup: fc.boolean(),
            retain: fc.boolean(),
        })
        .map(({ id, topic, payload, qos, dup, retain }) =>
            made(
                {
                    ...{ cmd: "publish", topic, retain, messageId: id, qos: qos as 0 | 1 },
                    ...{ dup: dup && qos === 1, payload: Buffer.from(payload) },
                },
                { type: 0x30, id: qos * id, topic, payload },
            ),
        ),
    id.map(id => made({ cmd: "puback", messageId: id }, { type: 0x40, id })),
    fc
        .tuple(id, fc.array(fc.constantFrom(0, 1, 0x80), { minLength: 1, maxLength: 3 }))
        .map(([id, granted]) =>
            made({ cmd: "suback", messageId: id, granted }, { type: 0x90, id, payload: Uint8Array.from(granted) }),
        ),
    fc.constant(made({ cmd: "pingresp" }, { type: 0xd0 })),
)

test("packets are found in a stream wherever it is cut", async () => {
    const property = fc.asyncProperty(
        fc.array(anyPacket, { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (cases, cut) => {
            const stream = Buffer.concat(cases.map(c => c.bytes))
            fc.pre(stream.length < 530)
            const found = await read(stream, Math.floor(cut * stream.length))
            assert.deepEqual(found, facts(cases.map(c => c.facts)))
        },
    )
    await fc.assert(property, { numRuns: runs(200) })
})

test("every place to cut a receipt", async () => {
    const receipt = made(
        {
            ...{
                cmd: "publish",
                topic: "vm/0011223344556677/receipt",
                payload: Buffer.alloc(90, 7),
            },
            ...{ qos: 0, dup: false, retain: false },
        },
        { type: 0x30, topic: "vm/0011223344556677/receipt", payload: Buffer.alloc(90, 7) },
    )
    for (let split = 0; split <= receipt.bytes.length; split++)
        assert.deepEqual(await read(receipt.bytes, split), facts([receipt.facts]))
})

test("the largest packet is taken, one more byte is not", async () => {
    const publish = (size: number) =>
        Buffer.concat([Buffer.from([0x30, 0x80 | (size & 0x7f), size >> 7, 0, 1, 0x61]), Buffer.alloc(size - 3, 1)])
    assert.deepEqual(await read(publish(381), 300), facts([{ type: 0x30, topic: "a", payload: Buffer.alloc(378, 1) }]))
    assert.equal((await read(publish(382))).toString(), "! packet too large")
    for (const length of ["ff03", "80 80 01", "ff ff ff 7f", "ff ff ff ff"])
        assert.equal(await problem(`30 ${length}`), "! packet too large")
})

test("a packet that a server may not send is malformed", async () => {
    const malformed = {
        "types and flags that are reserved": ["0000", "f000", "2102 0000", "4202 0001", "9103 0001 00", "d100"],
        "packets of a client": ["1000", "8205 0001 0001 61", "a205 0001 0001 61", "c000", "e000"],
        "acknowledgements of QoS 2, and of what we never ask": ["5002 0001", "6202 0001", "7002 0001", "b002 0001"],
        "a CONNACK that is too short, too long, or brings a session": ["2001 00", "2003 0000 00", "2002 0100"],
        "a PUBACK that is too short, too long, or without an identifier": ["4001 00", "4003 0001 00", "4002 0000"],
        "a SUBACK without a code, or without an identifier": ["9002 0001", "9003 0000 00"],
        "a PINGRESP with something in it": ["d001 00"],
        "a PUBLISH with QoS 2, QoS 3, DUP and QoS 0": ["3405 0001 61 0001", "3605 0001 61 0001", "3803 0001 61"],
        "a PUBLISH without a topic, or with a longer one than there is": [
            "3000",
            "3001 00",
            "3002 0000",
            "3003 0002 61",
        ],
        "a PUBLISH with QoS 1 without an identifier": ["3203 0001 61", "3204 0001 61 00", "3205 0001 61 0000"],
    }
    for (const [what, packets] of Object.entries(malformed))
        for (const hex of packets) assert.equal(await problem(hex), "! malformed packet", what)
})

test("any bytes are either packets or an error, and the reader continues", async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async bytes => {
        const found = await read(bytes, bytes.length >> 1)
        assert.match(found.toString("latin1"), /^[.!]/)
    })
    await fc.assert(property, { numRuns: runs(200) })
    assert.deepEqual(await read(Buffer.from("d000", "hex")), facts([{ type: 0xd0 }]))
})
