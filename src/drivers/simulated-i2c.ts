import { Packet, SensorBus } from "@devicescript/core"
import { Signal } from "../platform/signal"
import { sleep } from "../platform/sleep"

/*
 * Starts when it is imported. Transactions and their answers write the state; nobody else reads it.
 */

/** The longest transaction takes 6 ms on the bus; frames can get lost on the way, as while a debugger halts the VM. */
const answerMs = 500
const noAnswer = 255
/** Before the bytes that were read. */
const transactionOffset = 0
const statusOffset = 1
const dataOffset = 2
/** It announces itself every 500 ms, if the machine is not too busy. */
const boundLooks = 30
const boundLookMs = 100

const role = new SensorBus("sensorBus")
let transaction = 0
let isBusy = false
let answer: Buffer
const answered = new Signal()

role.report().subscribe((packet: Packet) => {
    if (!isBusy || packet.payload[transactionOffset] !== transaction) return
    answer = packet.payload
    answered.raise()
})

/** Whether there is such a bus; waits a moment for it. */
export async function isI2CSimulated(): Promise<boolean> {
    // By looks and not by time, which goes on while a debugger halts the VM.
    for (let i = 0; i < boundLooks && !role.isBound; i++) await sleep(boundLookMs)
    return role.isBound
}

/**
 * The simulator's I2C bus (services/sensor-bus.md) in the place of a board's: the drivers cannot tell them apart.
 * Transactions queue up, as they do on a real bus.
 */
export async function simulatedI2C(chip: number, written: Buffer, read?: Buffer): Promise<number> {
    while (isBusy) await sleep(1)
    isBusy = true
    try {
        transaction = (transaction + 1) & 0xff
        answer = undefined
        const size = read ? read.length : 0
        await role.transfer(transaction, chip, size, written)
        // A word that an earlier transaction left behind is none for this one.
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
