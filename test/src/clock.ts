// Takes what a receipt said, when its envelope was sent and when it came, and answers with what the mote adds to `millis()`
// then; or at the time that it is asked for.
import { clockReceipt, clockShift, resetClock } from "../../src/link/clock"
import { Signal } from "../../src/platform/signal"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"

useSocket(new Signal(), question => {
    let atMs = 0
    if (question.length === 1) resetClock()
    else if (question.length === 8) atMs = question.getAt(0, "f64")
    else {
        atMs = question.getAt(16, "f64")
        clockReceipt(question.getAt(0, "f64"), question.getAt(8, "f64"), atMs)
    }
    const shift = clockShift(atMs)
    const answer = Buffer.alloc(8)
    answer.setAt(0, "f64", shift === undefined ? -1 : shift)
    writeSocketNow(answer)
})
await openSocket("test.invalid", 1, 1000)
