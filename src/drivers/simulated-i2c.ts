import { Packet, SensorBus } from "@devicescript/core"
import { onReport } from "../platform/packets"
import { Signal } from "../platform/signal"
import { sleep } from "../platform/sleep"

/* Starts when it is imported. Transactions and their responses write the state; it is private to this module. */

/**
 * Response timeout: the longest transaction takes 6 ms on the bus, but frames can get lost, as when a debugger halts
 * the VM.
 */
const answerMs = 500
const noAnswer = 255
/** Offsets in a response, before the bytes read. */
const transactionOffset = 0
const statusOffset = 1
const dataOffset = 2
/** Attempts to find the bus, which announces itself every 500 ms, or later on a busy machine. */
const boundLooks = 30
const boundLookMs = 100

const role = new SensorBus("sensorBus")
let transaction = 0
let isBusy = false
let answer: Buffer
const answered = new Signal()

onReport(role, async (packet: Packet) => {
    if (!isBusy || packet.payload[transactionOffset] !== transaction) return
    answer = packet.payload
    answered.raise()
})

/** Whether there is such a bus; waits for it briefly. */
export async function isI2CSimulated(): Promise<boolean> {
    // Counts attempts instead of time, which continues while a debugger halts the VM.
    for (let i = 0; i < boundLooks && !role.isBound; i++) await sleep(boundLookMs)
    return role.isBound
}

/**
 * The simulator's I2C bus (services/sensor-bus.md) instead of a board's: the drivers cannot tell them apart.
 * Transactions queue up, as on a real bus.
 */
export async function simulatedI2C(chip: number, written: Buffer, read?: Buffer): Promise<number> {
    while (isBusy) await sleep(1)
    isBusy = true
    try {
        transaction = (transaction + 1) & 0xff
        answer = undefined
        const size = read ? read.length : 0
        await role.transfer(transaction, chip, size, written)
        // A signal left behind by an earlier transaction does not count.
        while (!answer && (await answered.wait(answerMs)));
        if (!answer) return noAnswer
        const status = answer[statusOffset]
        if (status !== 0) return status
        if (answer.length !== dataOffset + size) return noAnswer
        if (read) read.blitAt(0, answer, dataOffset, size)
        return 0
    } finally {
        isBusy = false
    }
}
