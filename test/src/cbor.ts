// Answers binary64 numbers with their CBOR encodings, one after the other.
import { clearCbor, startCbor, writeNumber, writtenBytes } from "../../src/cbor"
import { Signal } from "../../src/signal"
import { TcpSocket } from "../../src/link/socket"

startCbor(67 * 9)
const socket = new TcpSocket(new Signal(), numbers => {
    clearCbor()
    for (let i = 0; i < numbers.length; i += 8) writeNumber(numbers.getAt(i, "f64"))
    socket.writeNow(writtenBytes())
})
await socket.open("test.invalid", 1, 1000)
