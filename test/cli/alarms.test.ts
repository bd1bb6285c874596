import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Service } from "../clinic/service.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { CommandLine } from "../support/command-line.ts"
import { alarmEvent } from "../support/mote.ts"

const commandLine = new CommandLine()
let service: Service
before(async () => {
    service = await Service.start()
    const { mote } = await service.admit()
    await service.admit("Ken", "Ito")
    const startMs = Date.now() - 3_600_000
    const batch = []
    for (let i = 0; i < 60; i++) {
        const bpm = i < 30 ? 72 : 138
        const pack = Array.from({ length: 6 }, (_, j) => measurement("hr", bpm, startMs + (6 * i + j) * 10_000))
        batch.push(delivery(mote.seal(pack, Date.now()), Date.now()))
    }
    const at = startMs + 1_810_000
    const alarm = alarmEvent("hr-high", true, at, { value: 138 })
    batch.push(delivery(mote.sealAlarms([alarm], Date.now()), Date.now(), "alarm"))
    await service.ingest(batch)
})
after(() => {
    commandLine.close()
    return service.close()
})

function alarms(...args: string[]) {
    const { url, caFile } = service.running
    return commandLine.run(["alarms", ...args, "--clinic", url, "--ca", caFile], {
        VITALMOTE_DOCTOR_TOKEN: service.doctor,
    })
}

test("alarms statistics: how many there were, and whose bed is the loudest", async () => {
    const { code, stdout } = await alarms("statistics", "--days", "1")
    assert.equal(code, 0)
    assert.match(stdout, /^Heart rate high +1 /m)
    // A pulse of 138 is a single 3 of NEWS2, too.
    assert.match(stdout, /^loudest: Beck, Ada {2}[12] {2}/m)
    const { stdout: json } = await alarms("statistics", "--json")
    const { kinds } = JSON.parse(json) as { kinds: { kind: string; count: number }[] }
    assert.equal(kinds.find(({ kind }) => kind === "hr-high")!.count, 1)
})

test("alarms replay: what other limits would have made and missed, of everybody", async () => {
    const { code, stdout } = await alarms("replay", "--limits", "hrHigh=140,spo2Low=88", "--days", "1")
    assert.equal(code, 0)
    assert.match(stdout, /^2 patients, 0\.\d patient days$/m)
    assert.match(stdout, /^Heart rate high +1 +\d+\.\d+ +0 +0\.00 +1 +0 s$/m)
    assert.match(stdout, /^missed: Beck, Ada {2}Heart rate high .* not over {2}worst 138 \/min$/m)
    const { stdout: json } = await alarms("replay", "--limits", "hrHigh=135", "--delay", "60", "--json")
    const { kinds } = JSON.parse(json) as { kinds: { kind: string; whatIf: number; latestMs: number }[] }
    const { whatIf, latestMs } = kinds.find(({ kind }) => kind === "hr-high")!
    assert.deepEqual([whatIf, latestMs], [1, 50_000])
})

test("alarms replay: what cannot be tried is refused with a line", async () => {
    for (const [args, line] of [
        [[], /either --limits or --delay is needed/],
        [["--limits", "hrHigh=999"], /hrHigh/],
        [["--limits", "bpm=10"], /bpm/],
        [["--delay", "9999"], /--delay/],
        [["--delay", "5", "--ward", "nowhere"], /no patients on that ward/],
    ] as const) {
        const { code, stderr } = await alarms("replay", ...args)
        assert.notEqual(code, 0)
        assert.match(stderr, line)
    }
})
