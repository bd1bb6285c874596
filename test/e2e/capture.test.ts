import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { startRouter } from "../../router/index.ts"
import { CoapClient } from "../router/client.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { TestMote } from "../support/mote.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"

/** Code POST and 2.04, RFC 7252 §12.1. */
const [post, changed] = ["2", "68"]
const fields = ["coap.code", "coap.token", "coap.opt.uri_path", "coap.payload_length"]
const bytes = ["tcp.payload", "_ws.malformed"]

test("Wireshark, listening on the wire, sees an envelope posted and its receipt, as CoAP over TCP", async t => {
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    const data = temporaryFolder(t)
    const running = await startRouter({ data, coapPort: 0, clinic, log: silentLog })
    t.after(() => running.close())
    const { coapPort, router } = running
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const client = await CoapClient.connect(coapPort)
    t.after(() => client.destroy())

    const tshark = spawn("tshark", [
        ...["-i", "lo", "-f", `tcp port ${coapPort}`, "-d", `tcp.port==${coapPort},coap`],
        ...["-l", "-Y", "coap", "-T", "fields"],
        ...[...fields, ...bytes].flatMap(field => ["-e", field]),
    ])
    let [output, complaints] = ["", ""]
    let hasEnded = false
    tshark.stdout.on("data", text => (output += String(text)))
    tshark.stderr.on("data", text => (complaints += String(text)))
    tshark.on("error", error => (complaints += error.message))
    tshark.once("close", () => (hasEnded = true))
    t.after(() => tshark.kill())

    const posted = new Map<string, number>()
    /** The first request it saw, and the response with its token. */
    const exchange = () => {
        const messages = output.split("\n").map(line => line.split("\t"))
        const request = messages.find(([code]) => code === post)
        const response = messages.find(([code, of]) => code === changed && of === request?.[1])
        return request && response && { request, response }
    }
    await until(async () => {
        // It does not see what passes before it is ready.
        const envelope = mote.envelope()
        assert.equal(await client.code("/vitals", envelope), "2.04")
        posted.set(Buffer.from(envelope).toString("hex"), envelope.length)
        return hasEnded || exchange() !== undefined
    }, "a request and its response, dissected")
    if (hasEnded) return t.skip(`needs tshark that may capture on lo: ${complaints.replaceAll("\n", " ")}`)

    const { request, response } = exchange()!
    const [, , path, length, segment, malformed] = request
    assert.equal(path, "vitals")
    const [envelope] = [...posted.keys()].filter(hex => segment!.endsWith(hex))
    assert.ok(envelope, "the payload is the envelope")
    assert.equal(Number(length), posted.get(envelope))
    assert.equal(malformed, "")
    assert.ok(Number(response[3]) > 0, "the response carries a receipt")
    assert.equal(response[5], "")
})
