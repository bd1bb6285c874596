// Answers whole numbers, as binary64, with their CBOR encodings, one after the other.
import { clearCbor, startCbor, writeNumber, writtenBytes } from "../../src/link/cbor"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

startCbor(67 * 9)
useSocket(new Signal(), numbers => {
    clearCbor()
    for (let i = 0; i < numbers.length; i += 8) writeNumber(numbers.getAt(i, "f64"))
    writeSocketNow(writtenBytes())
})
await openSocket("test.invalid", 1, 1000)
