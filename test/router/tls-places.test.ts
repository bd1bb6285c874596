import assert from "node:assert/strict"
import { connect } from "node:net"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { maxStrangersOfAddress } from "../../router/admission.ts"
import { startRouter } from "../../router/index.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { openSocket } from "./client.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"
import { CoapClient } from "./client.ts"
import { selfSigned } from "./tls-server.ts"

test("connections that never end their TLS handshake have places, too, and are cut off", async t => {
    const tls = { ...(await selfSigned()), coapsPort: 0, mqttsPort: 0 }
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    const running = await startRouter({
        data: temporaryFolder(t),
        coapPort: 0,
        mqttPort: 0,
        tls,
        clinic,
        log: silentLog,
    })
    t.after(() => running.close())
    const { router, coapPort, coapsPort } = running
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const closed: number[] = []
    const silent = Array.from({ length: maxStrangersOfAddress + 20 }, (_, i) => {
        const socket = connect(coapsPort!, "127.0.0.1")
            .on("error", () => {})
            .resume()
        return socket.on("close", () => closed.push(i))
    })
    await until(() => closed.length >= 20, "those beyond the limit are closed")
    assert.ok(router.stats().connections <= maxStrangersOfAddress)
    const client = await CoapClient.connect(coapPort)
    t.after(() => client.destroy())
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04", "a mote gets in")
    await until(() => closed.length === silent.length, "all of them are cut off")
    await until(() => router.stats().connections === 1, "the mote is left")
})

test("a mote gets in beside a thousand silent connections, by CoAP and by MQTT", async t => {
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    const running = await startRouter({ data: temporaryFolder(t), coapPort: 0, mqttPort: 0, clinic, log: silentLog })
    t.after(() => running.close())
    const { router, coapPort, mqttPort } = running
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const sockets = await Promise.all(
        [coapPort, mqttPort!].flatMap(port => Array.from({ length: 500 }, () => openSocket(port))),
    )
    for (const socket of sockets) socket.on("error", () => {}).resume()
    for (let i = 0; i < 20; i++) {
        const client = await CoapClient.connect(coapPort)
        assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
        client.destroy()
    }
    for (const socket of sockets) socket.destroy()
})
