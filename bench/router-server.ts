/*
 * The server for bench/router.ts and bench/hostile.ts, in its own process: a router with its store in the given folder,
 * and a plain TCP echo. It sends its ports, and on request the CPU time and memory used so far.
 */
import { createServer, type AddressInfo } from "node:net"
import { silentLog } from "../host/log.ts"
import { startRouter } from "../router/index.ts"
import { deriveKeys } from "../wire/keys.ts"
import { benchKid, benchMotes, benchSecret } from "./router.ts"

const [data, isBounded] = process.argv.slice(2)
const echo = createServer(socket => {
    socket.setNoDelay(true)
    socket.on("data", bytes => socket.write(bytes))
    socket.on("error", () => socket.destroy())
})
await new Promise<void>(resolve => echo.listen(0, "127.0.0.1", resolve))
const keys = Array.from({ length: benchMotes }, (_, n) => ({ ...deriveKeys(benchSecret, benchKid(n)), config: 1 }))
const { coapPort, mqttPort } = await startRouter({
    ...{ data: data!, coapPort: 0, mqttPort: 0 },
    clinic: {
        keysOf: () => Promise.resolve([]),
        deliver: batch => Promise.resolve(batch.map(({ id }) => ({ id, status: "stored" }))),
        keys: () => Promise.resolve(keys),
    },
    // One mote sends as much as a whole ward.
    ...(isBounded ? {} : { moteBytesPerMinute: Infinity }),
    log: silentLog,
})
process.on("message", () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuUs: user + system, rss: process.memoryUsage().rss })
})
process.on("disconnect", () => process.exit())
process.send!({ coapPort, mqttPort, echoPort: (echo.address() as AddressInfo).port })
