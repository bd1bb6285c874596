import { actionReport, SensorBus, sleep } from "@devicescript/core"
import { I2C, I2CError } from "@devicescript/i2c"

/**
 * The simulator's I2C bus (services/sensor-bus.md) in the place of a board's: the drivers cannot tell them apart.
 * Transactions queue up, as they do on a real bus.
 */
export class SimulatedI2C extends I2C {
    private role = new SensorBus("sensorBus")
    private transaction = 0
    private busy = false

    override async xfer(devAddr: number, writeBuf: Buffer, numRead?: number): Promise<Buffer> {
        while (this.busy) await sleep(1)
        this.busy = true
        try {
            const transaction = (this.transaction + 1) & 0xff
            this.transaction = transaction
            const role = this.role
            const report = await actionReport(
                role,
                "transfer",
                async () => {
                    await role.transfer(transaction, devAddr, numRead || 0, writeBuf)
                },
                packet => packet.payload[0] === transaction,
            )
            const status = report.payload[1]
            if (status !== 0) throw new I2CError(`I2C error ${status} dev=${devAddr}`, status)
            return report.payload.slice(2)
        } finally {
            this.busy = false
        }
    }
}
