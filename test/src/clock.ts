// Answers what a receipt said, when its envelope was sent and when it came, with what the mote adds to `millis()` now.
import { Clock } from "../../src/link/clock"
import { Signal } from "../../src/signal"
import { TcpSocket } from "../../src/link/socket"

let clock = new Clock()
const socket = new TcpSocket(new Signal(), question => {
    if (question.length === 1) clock = new Clock()
    else
        clock.receipt(question.getAt(0, "f64"), question.getAt(8, "f64"), question.getAt(16, "f64"))
    const shift = clock.get()
    const answer = Buffer.alloc(8)
    answer.setAt(0, "f64", shift === undefined ? -1 : shift)
    socket.writeNow(answer)
})
await socket.open("test.invalid", 1, 1000)
