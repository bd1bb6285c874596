import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { after, before, test } from "node:test"
import { Clinic } from "../../clinic/index.ts"
import { decodeKeys, encodeWanted, maxBatch, type DeliveryResult } from "../../wire/batch.ts"
import { encodeMac0 } from "../../wire/cose.ts"
import { parseEnvelope, type Purpose } from "../../wire/envelope.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, moteTime, TestMote } from "../support/mote.ts"
import { flipBit } from "../wire/arbitrary.ts"
import { delivery, measurement } from "./support.ts"
import { Service } from "./service.ts"
import { newStore } from "./stores.ts"

/*
 * A router that was taken over has the key of the MAC, from the clinic itself. What it can do with that.
 */

const clock = new ManualClock(moteTime(Date.now())) // certificates are judged by the real time
const cborType = { "content-type": "application/cbor" }
let service: Service
before(async () => {
    service = await Service.start(clock)
})
after(() => service.close())

/** The key with which the router checks a mote's envelopes, as the clinic gives it to the router. */
async function routersKey(kid: Uint8Array): Promise<Uint8Array> {
    const { bytes } = await service.call("POST", "/ingest/keys", {
        ...{ token: service.router, headers: cborType, body: encodeWanted([kid]) },
    })
    return decodeKeys(bytes)[0]!.upMac
}

/** The same envelope with another payload, and a MAC that is right. */
function resealed(envelope: Uint8Array, change: (payload: Uint8Array) => Uint8Array, upMac: Uint8Array): Uint8Array {
    const { protectedHeader, payload } = parseEnvelope(envelope)
    return encodeMac0(protectedHeader, change(payload), new Uint8Array(0), upMac)
}

async function ingest(envelopes: Uint8Array[], purpose: Purpose): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = []
    for (let at = 0; at < envelopes.length; at += maxBatch) {
        const batch = envelopes.slice(at, at + maxBatch)
        results.push(...(await service.ingest(batch.map(envelope => delivery(envelope, clock.now(), purpose)))))
    }
    return results
}

test("every flipped bit with a MAC made anew by the router is refused, and takes nothing from the true envelope", async () => {
    const { mote, patient } = await service.admit()
    const upMac = await routersKey(mote.keys.kid)
    const now = clock.now()
    const vitals = mote.seal([measurement("hr", 72, now), measurement("temp", 36.6, now)], now)
    const alarm = mote.sealAlarms([alarmEvent("hr-high", true, now, { value: 171 })], now)
    for (const [purpose, envelope] of [
        ["vitals", vitals],
        ["alarm", alarm],
    ] as const) {
        const bits = parseEnvelope(envelope).payload.length * 8
        const altered = Array.from({ length: bits }, (_, bit) =>
            resealed(envelope, payload => flipBit(payload, bit), upMac),
        )
        const results = await ingest(altered, purpose)
        const reasons = results.map(({ status, reason }) => (status === "refused" ? reason : status))
        // In the first byte: four bits are the format, and the others make other purposes.
        assert.deepEqual(reasons.slice(0, 4).sort(), purpose === "vitals" ? firstOfVitals : firstOfAlarms)
        assert.deepEqual(reasons.slice(4, 8), Array(4).fill("unknown-format"))
        assert.deepEqual(new Set(reasons.slice(8)), new Set(["altered"]))
        // The MAC as it was: nobody but a router has got so far.
        const flipped = Array.from({ length: envelope.length * 8 }, (_, bit) => flipBit(envelope, bit))
        assert.ok((await ingest(flipped, purpose)).every(({ status }) => status === "refused"))
    }
    const found = async () =>
        ((await service.get(`/fhir/Observation?patient=${patient}`)).json.entry as unknown[] | undefined)?.length ?? 0
    const alarms = async () => (await service.get(`/api/alarms?patient=${patient}`)).json.length as number
    assert.deepEqual([await found(), await alarms()], [0, 0])
    assert.deepEqual(
        [...(await ingest([vitals], "vitals")), ...(await ingest([alarm], "alarm"))].map(({ status }) => status),
        ["stored", "stored"],
    )
    assert.deepEqual([await found(), await alarms()], [2, 1])
})

/** 0x21 becomes 0x20, 0x23, 0x25 and 0x29; 0x22 becomes 0x23, 0x20, 0x26 and 0x2a. */
const firstOfVitals = Array<string>(4).fill("malformed")
const firstOfAlarms = Array<string>(4).fill("malformed")

test("a router can make neither an alarm of vitals nor vitals of an alarm, nor one mote's of another's", async () => {
    const { mote } = await service.admit()
    const other = await service.admit("Ken", "Ito")
    const upMac = await routersKey(mote.keys.kid)
    const now = clock.now()
    const vitals = mote.seal([measurement("hr", 72, now)], now)
    const swapped = resealed(vitals, payload => Uint8Array.of(0x22, ...payload.subarray(1)), upMac)
    const [asAlarm] = await ingest([swapped], "alarm")
    assert.deepEqual([asAlarm!.status, asAlarm!.reason], ["refused", "altered"])
    const [onOtherPath] = await ingest([vitals], "alarm")
    assert.deepEqual([onOtherPath!.status, onOtherPath!.reason], ["refused", "wrong-mac"])
    const { payload } = parseEnvelope(vitals)
    const { protectedHeader } = parseEnvelope(other.mote.envelope())
    const moved = encodeMac0(protectedHeader, payload, new Uint8Array(0), await routersKey(other.mote.keys.kid))
    const [another] = await ingest([moved], "vitals")
    assert.deepEqual([another!.status, another!.reason], ["refused", "altered"])
})

test("a router that has the key of a new secret cannot take it into use for the mote; the log names the router", async () => {
    const clock = new ManualClock()
    const said: [string, object, string][] = []
    const at = (level: string) => (details: object, message: string) => said.push([level, details, message])
    const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
    const store = await newStore()
    const clinic = await Clinic.open({ store, clock, random: randomBytes, key: randomBytes(32), log })
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    await clinic.rotate(mote.kid)
    const [current, next] = await clinic.keys()
    const now = clock.now()
    const status = async (envelope: Uint8Array) => {
        const [result] = await clinic.ingest([delivery(envelope, now)], { account: 0 })
        return result!.reason ?? result!.status
    }
    const envelope = sealer.seal([measurement("hr", 60, now)], now)
    assert.equal(await status(resealed(envelope, payload => payload, next!.upMac)), "altered")
    assert.deepEqual(
        (await clinic.keys()).map(({ upMac }) => upMac),
        [current!.upMac, next!.upMac],
        "both secrets are still valid",
    )
    assert.equal(await status(envelope), "stored")
    const [error] = said.filter(([level]) => level === "error")
    assert.deepEqual(error!.slice(1), [{ "router 0": 1 }, "envelopes altered with the keys of these routers"])
    await clinic.close()
})
