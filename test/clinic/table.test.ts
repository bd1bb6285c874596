import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { zoned } from "../../clinic/time-zone.ts"
import { alarmEvent, type TestMote } from "../support/mote.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

let service: Service
let patient: number
let mote: TestMote

before(async () => {
    service = await Service.start(undefined, { timeZone: "Europe/Berlin" })
    ;({ patient, mote } = await service.admit('<b>"Ada"', "O'Beck & Söhne"))
    const now = Date.now()
    const alarm = alarmEvent("hr-high", true, now, { value: 171 })
    await service.ingest([
        delivery(mote.seal([measurement("hr", 72, now)], now), now),
        delivery(mote.sealAlarms([alarm], now), now, "alarm"),
    ])
})
after(() => service.close())

const ask = async (path: string, accept: string) => {
    const { status, headers, bytes } = await service.call("GET", path, {
        ...{ token: service.doctor, headers: { accept } },
    })
    assert.equal(status, 200)
    return { type: String(headers["content-type"]).split(";")[0]!, text: bytes.toString() }
}
const paths = () => [
    ...["/api/alarms", `/api/alarms?patient=${patient}`, "/api/ward"],
    ...["log", "statistics"].map(what => `/api/alarms/${what}?from=${Date.now() - 60_000}&before=${Date.now() + 1000}`),
]

test("vital signs and alarms come as JSON, CSV, HTML or XML, as the client prefers", async () => {
    const { headers } = await service.get("/api/ward")
    assert.equal(headers["vary"], "accept, accept-encoding")
    for (const path of paths()) {
        for (const accept of ["*/*", "application/json", "image/png", "application/json, text/html;q=0.9"])
            assert.equal((await ask(path, accept)).type, "application/json", `${path} ${accept}`)
        const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        const html = await ask(path, browser)
        assert.deepEqual([html.type, /^<!doctype html>[^]*<th>[^]*<td>/.test(html.text)], ["text/html", true], path)
        assert.equal((await ask(path, "text/csv")).type, "text/csv")
        const xml = await ask(path, "application/xml")
        assert.match(xml.text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<(\w+)s>\n( {2}<\1>.*<\/\1>\n)+<\/\1s>\n$/)
    }
})

test("whatever a name is, it is text in HTML and XML", async () => {
    const { text: html } = await ask("/api/ward", "text/html")
    assert.ok(html.includes("<td>&lt;b&gt;&quot;Ada&quot;</td>"), html)
    const { text: xml } = await ask("/api/ward", "application/xml")
    assert.ok(xml.includes("<family>O&#39;Beck &amp; Söhne</family>"), xml)
})

test("times in tables are the ward's, with their offset, also in the hour that comes twice", async () => {
    const { text } = await ask("/api/alarms", "text/csv")
    const [head, line] = text.split("\r\n").map(row => row.split(","))
    assert.match(line![head!.indexOf("began")]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00$/)
    const berlin = (time: string) => zoned(Date.parse(time), "Europe/Berlin")
    assert.equal(berlin("2026-10-25T00:30:00Z"), "2026-10-25T02:30:00+02:00")
    assert.equal(berlin("2026-10-25T01:30:00Z"), "2026-10-25T02:30:00+01:00")
    assert.equal(zoned(0, "UTC"), "1970-01-01T00:00:00+00:00")
    assert.equal(zoned(0, "Asia/Kolkata"), "1970-01-01T05:30:00+05:30")
})
