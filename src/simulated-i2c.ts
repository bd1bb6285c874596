import { emitter, Packet, SensorBus, sleep, wait } from "@devicescript/core"
import { I2C, I2CError } from "@devicescript/i2c"

/** The longest transaction takes 6 ms on the bus; frames can get lost on the way, as while a debugger halts the VM. */
const answerMs = 500
const noAnswer = 255
/** It announces itself every 500 ms, if the machine is not too busy. */
const boundMs = 3000

/**
 * The simulator's I2C bus (services/sensor-bus.md) in the place of a board's: the drivers cannot tell them apart.
 * Transactions queue up, as they do on a real bus.
 */
export class SimulatedI2C extends I2C {
    private role = new SensorBus("sensorBus")
    private transaction = 0
    private busy = false
    private answer: Buffer
    private answered = emitter<void>()

    constructor() {
        super()
        const bus = this
        this.role.report().subscribe((packet: Packet) => {
            if (!bus.busy || packet.payload[0] !== bus.transaction) return
            bus.answer = packet.payload
            bus.answered.emit(undefined)
        })
    }

    /** Whether there is such a bus; waits a moment for it. */
    async isThere(): Promise<boolean> {
        if (!this.role.isBound) await wait(this.role.binding(), boundMs)
        return this.role.isBound
    }

    override async xfer(devAddr: number, writeBuf: Buffer, numRead?: number): Promise<Buffer> {
        while (this.busy) await sleep(1)
        this.busy = true
        try {
            this.transaction = (this.transaction + 1) & 0xff
            this.answer = undefined
            await this.role.transfer(this.transaction, devAddr, numRead || 0, writeBuf)
            if (!this.answer) await wait(this.answered, answerMs)
            const status = this.answer ? this.answer[1] : noAnswer
            if (status !== 0) throw new I2CError(`I2C error ${status} dev=${devAddr}`, status)
            return this.answer.slice(2)
        } finally {
            this.busy = false
        }
    }
}
