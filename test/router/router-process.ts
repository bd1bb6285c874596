/*
 * A router in a process of its own, for tests that kill it: `router-process.ts DATA [up | down [URL]]`. Its clinic
 * appends every envelope to DATA/delivered, in hex, a line each, or is down. With the URL of an MQTT broker it shares
 * that broker's motes with others. Prints its CoAP port; closes on SIGTERM.
 */
import { appendFileSync } from "node:fs"
import { join } from "node:path"
import { brokerAccess } from "../../host/mqtt/access.ts"
import { silentLog } from "../../host/log.ts"
import { startRouter } from "../../router/index.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

const [data, state, broker] = process.argv.slice(2)
const clinic = new MemoryClinic(...[1, 2, 3, 4].map(n => TestMote.numbered(n).routerKeys))
clinic.answer = batch => {
    if (state === "down") throw new Error("down")
    return batch.map(({ id, envelope }) => {
        appendFileSync(join(data!, "delivered"), Buffer.from(envelope).toString("hex") + "\n")
        return { id, status: "stored" }
    })
}
const router = await startRouter({
    data: data!,
    coapPort: 0,
    ...(broker ? { mqttBroker: brokerAccess(broker), mqttShare: "ward" } : { mqttPort: 0 }),
    clinic,
    log: silentLog,
})
process.once("SIGTERM", () => void router.close())
console.log(router.coapPort)
