// Answers binary64 numbers with their CBOR encodings, one after the other.
import { CborWriter } from "../../src/cbor"
import { Signal } from "../../src/signal"
import { TcpSocket } from "../../src/link/socket"

const writer = new CborWriter(67 * 9)
const socket = new TcpSocket(new Signal(), numbers => {
    writer.clear()
    for (let i = 0; i < numbers.length; i += 8) writer.number(numbers.getAt(i, "f64"))
    socket.writeNow(writer.toBuffer())
})
await socket.open("test.invalid", 1, 1000)
