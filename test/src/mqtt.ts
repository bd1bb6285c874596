// Reads a stream in two pieces (the first as long as the first two bytes say) and answers what packets were in it.
import { Packet, PacketReader } from "../../src/mqtt/packet"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

let found: Buffer

function facts({ type, id, topic, payload }: Packet): void {
    const head = Buffer.alloc(7)
    const name = topic === undefined ? hex`` : Buffer.from(topic)
    head[0] = type
    head.setAt(1, "u16", id)
    head.setAt(3, "u16", name.length)
    head.setAt(5, "u16", payload.length)
    found = Buffer.concat(found, head, name, payload)
}

const reader = new PacketReader(facts)
useSocket(new Signal(), question => {
    const split = question.getAt(0, "u16")
    found = hex``
    reader.reset()
    let problem = reader.push(question.slice(2, 2 + split))
    if (!problem) problem = reader.push(question.slice(2 + split))
    writeSocketNow(problem ? Buffer.from("! " + problem) : Buffer.concat(hex`2e`, found))
})
await openSocket("test.invalid", 1, 1000)
