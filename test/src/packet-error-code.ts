// Computes the packet error code of what a chip at 0x10 says, length first, and writes it back, for ever.
import { sleep } from "@devicescript/core"
import { packetErrorCode } from "../../src/drivers/mlx90614"
import { SimulatedI2C } from "../../src/simulated-i2c"

const bus = new SimulatedI2C()
for (;;) {
    const size = (await bus.readBuf(0x10, 1))[0]
    const packet = size ? await bus.readBuf(0x10, size) : Buffer.alloc(0)
    await bus.writeBuf(0x10, Buffer.from([packetErrorCode(packet)]))
    await sleep(0)
}
