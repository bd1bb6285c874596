// Reads a stream in two pieces (the first as long as the first two bytes say) and answers what messages were in it.
import { MessageReader, OptionNumber } from "../../src/coap/message"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

let found: Buffer
const reader = new MessageReader(message => {
    const facts = Buffer.alloc(10)
    const critical = message.unknownCriticalOption([OptionNumber.uriPath])
    facts[0] = message.code
    facts[1] = message.token.length
    facts.setAt(2, "u16", message.payload.length)
    // Not `||`: to the VM a number beyond 31 bits is false.
    const maxAge = message.uintOption(OptionNumber.maxAge)
    facts.setAt(4, "u32", maxAge === undefined ? 0 : maxAge)
    facts.setAt(8, "u16", critical || 0)
    // Our own encoder writes the same bytes again.
    found = Buffer.concat(found, facts, message.token, message.payload, message.encode())
})

useSocket(new Signal(), question => {
    const split = question.getAt(0, "u16")
    found = hex``
    reader.reset()
    let problem = reader.push(question.slice(2, 2 + split))
    if (!problem) problem = reader.push(question.slice(2 + split))
    writeSocketNow(problem ? Buffer.from("! " + problem) : Buffer.concat(hex`2e`, found))
})
await openSocket("test.invalid", 1, 1000)
