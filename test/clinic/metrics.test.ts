import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { encodeBatch } from "../../wire/batch.ts"
import { ManualClock } from "../support/clock.ts"
import { parseExposition, valueOf } from "../support/exposition.ts"
import { temporaryFolder } from "../support/folder.ts"
import { Service } from "./service.ts"
import { delivery, measurement } from "./support.ts"

const dayMs = 86_400_000

test("metrics: alarms by age, motes, routers with clock and lag, latencies, certificate, backup; nobody's name", async t => {
    // The client that verifies the certificate has the real time.
    const clock = new ManualClock(Date.now())
    const folder = temporaryFolder(t)
    const backupAt = new Date(clock.now() - 3_600_000)
    backupAt.setUTCMilliseconds(0)
    const stamp = backupAt.toISOString().replace(/[-:]|\.\d+/g, "")
    writeFileSync(join(folder, `vitalmote-${stamp}.age`), "a backup of an hour ago")
    const backup = { folder, everyMs: dayMs, keep: 2, passphrase: "correct horse battery" }
    const service = await Service.start(clock, { backup })
    t.after(() => service.close())
    const { mote } = await service.admit("Ada", "Beck")
    const scrape = async () => {
        const { status, headers, bytes } = await service.get("/metrics")
        assert.equal(status, 200)
        assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/)
        const samples = parseExposition(bytes.toString())
        return {
            text: bytes.toString(),
            samples,
            get: (name: string, labels?: Record<string, string>) =>
                valueOf(samples, `vitalmote_clinic_${name}`, labels),
        }
    }
    const deliver = async () => {
        const now = clock.now()
        const answer = await service.call("POST", "/ingest", {
            token: service.router,
            // A router whose clock is eight seconds ahead delivers what it has had for two.
            headers: { "content-type": "application/cbor", "vitalmote-sent-at": String(now + 8000) },
            body: encodeBatch([delivery(mote.seal([measurement("hr", 70, now)], now), now + 8000 - 2000)]),
        })
        assert.equal(answer.status, 200)
    }
    await deliver()
    const { get, samples, text } = await scrape()
    assert.equal(get("deliveries_total", { status: "stored" }), 1)
    assert.equal(get("motes", { state: "silent" }), 0)
    assert.equal(get("motes", { state: "not-silent" }), 1)
    assert.equal(get("router_clock_error_seconds", { router: "router" }), 8)
    assert.equal(get("router_lag_seconds", { router: "router" }), 2)
    assert.equal(get("router_silent_seconds", { router: "router" }), 0)
    assert.equal(get("envelope_lag_seconds_bucket", { le: "1" }), 0)
    assert.equal(get("envelope_lag_seconds_bucket", { le: "2.5" }), 1)
    assert.equal(get("alarm_unattended_seconds", { priority: "high" }), 0)
    assert.equal(get("store_up"), 1)
    assert.ok(get("database_bytes") > 0)
    assert.ok(get("disk_free_bytes") > 0 && get("disk_free_bytes") <= get("disk_size_bytes"))
    assert.ok(Math.abs(get("certificate_not_after_timestamp_seconds") - (clock.now() + 367 * dayMs) / 1000) < 60)
    assert.equal(get("backup_timestamp_seconds"), backupAt.getTime() / 1000)
    assert.equal(get("channels_failing"), 0)
    assert.equal(get("http_request_duration_seconds_count", { method: "POST", route: "/ingest" }), 1)
    assert.ok(valueOf(samples, "nodejs_eventloop_lag_p99_seconds") >= 0)
    assert.ok(valueOf(samples, "process_resident_memory_bytes") > 0)
    for (const secret of ["Ada", "Beck", "doctor", mote.eui]) assert.ok(!text.includes(secret), secret)

    // The mote falls silent while its router is still heard.
    for (let s = 0; s < 180; s += 10) {
        await clock.advance(10_000)
        await service.call("GET", "/ingest/keys", { token: service.router })
    }
    const later = await scrape()
    assert.equal(later.get("motes", { state: "silent" }), 1)
    const silent = later.samples.filter(
        ({ name, labels }) => name === "vitalmote_clinic_alarms_open" && labels.kind === "mote-silent",
    )
    assert.deepEqual(
        silent.map(({ labels, value }) => [labels.state, value]),
        [["raised", 1]],
    )
    assert.ok(later.get("alarm_unattended_seconds", { priority: silent[0]!.labels.priority! }) > 10)
})

test("metrics: a route is named by its pattern, what is nowhere counts as none, and a stream not at all", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    for (const id of [1, 2, 3]) await service.get(`/api/patients/${id}`)
    for (const path of ["/nowhere/1", "/nowhere/2"]) await service.get(path)
    const samples = parseExposition((await service.get("/metrics")).bytes.toString())
    const counts = samples.filter(({ name }) => name === "vitalmote_clinic_http_request_duration_seconds_count")
    const of = (route: string) => counts.find(({ labels }) => labels.route === route)?.value
    assert.equal(of("/api/patients/:id"), 3)
    assert.equal(of("none"), 2)
    assert.ok(counts.every(({ labels }) => !labels.route?.includes("nowhere")))
    assert.equal(valueOf(samples, "vitalmote_clinic_http_responses_total", { status: "404" }), 5)
})
