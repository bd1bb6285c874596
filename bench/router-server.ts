/*
 * What bench/router.ts measures, in a process of its own: a router with its store in the folder given, and a bare TCP
 * echo. Tells its ports, and the CPU time it has used whenever it is asked.
 */
import { createServer, type AddressInfo } from "node:net"
import { silentLog } from "../host/log.ts"
import { startRouter } from "../router/index.ts"
import { deriveKeys } from "../wire/keys.ts"
import { benchKid, benchSecret } from "./router.ts"

const echo = createServer(socket => {
    socket.setNoDelay(true)
    socket.on("data", bytes => socket.write(bytes))
    socket.on("error", () => socket.destroy())
})
await new Promise<void>(resolve => echo.listen(0, "127.0.0.1", resolve))
const { coapPort } = await startRouter({
    data: process.argv[2]!,
    coapPort: 0,
    clinic: {
        deliver: batch => Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" }))),
        keys: () => Promise.resolve([{ ...deriveKeys(benchSecret, benchKid), config: 1 }]),
    },
    log: silentLog,
})
process.on("message", () => {
    const { user, system } = process.cpuUsage()
    process.send!(user + system)
})
process.on("disconnect", () => process.exit())
process.send!({ coapPort, echoPort: (echo.address() as AddressInfo).port })
