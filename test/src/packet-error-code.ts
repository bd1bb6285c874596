// Computes the packet error code of what a chip at 0x10 says, length first, and writes it back, for ever.
import { sleep } from "@devicescript/core"
import { packetErrorCode } from "../../src/drivers/mlx90614"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const size = Buffer.alloc(1)
for (;;) {
    await simulatedI2C(0x10, hex``, size)
    const packet = Buffer.alloc(size[0])
    if (size[0]) await simulatedI2C(0x10, hex``, packet)
    await simulatedI2C(0x10, Buffer.from([packetErrorCode(packet)]))
    await sleep(0)
}
