import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { openConfig } from "../../wire/config.ts"
import { refusedName, type Measurement } from "../../wire/pack.ts"
import type { Refusal } from "../../wire/tables/refusals.ts"
import { Service } from "../clinic/service.ts"
import type { TestMote } from "../support/mote.ts"
import { delivery, measurement } from "../clinic/support.ts"
import { CommandLine } from "../support/command-line.ts"
import { until } from "../support/until.ts"

const commandLine = new CommandLine()
let service: Service
let mote: TestMote
let eui: string
before(async () => {
    service = await Service.start()
    ;({ mote } = await service.admit())
    eui = Buffer.from(mote.keys.kid).toString("hex")
})
after(() => {
    commandLine.close()
    return service.close()
})

function config(...args: string[]) {
    const { url, caFile } = service.running
    const where = ["--clinic", url, "--ca", caFile, "--mote", eui]
    return commandLine.run(["config", ...args, ...where], { VITALMOTE_DOCTOR_TOKEN: service.doctor })
}

async function says(version: number, refused?: Refusal): Promise<void> {
    const now = Date.now()
    const pack: Measurement[] = [measurement("config", version, now, { unit: "count" })]
    if (refused !== undefined)
        pack.push(measurement(refusedName, version + 1, now, { unit: "count", refusal: refused }))
    await service.ingest([delivery(mote.seal(pack, now), now)])
}

const newest = async () => (await service.get(`/api/motes/${eui}/config`)).json.newest

/** Until a version waits for the mote. */
async function pending(version: number): Promise<void> {
    await until(async () => {
        const found = await newest()
        return found?.version === version && found.state === "pending"
    }, `version ${version}`)
}

test("set merges with what is in force, waits for the mote's word, and history tells", async () => {
    const first = config("set", "hrHigh=140", "report=30", "--wait", "--json")
    await pending(1)
    await says(1)
    const { code, stdout } = await first
    assert.equal(code, 0)
    assert.equal((JSON.parse(stdout) as { state: string }).state, "applied")

    const second = await config("set", "power=interval", "tempHigh=38.3")
    assert.deepEqual([second.code, second.stderr], [0, ""])
    assert.match(second.stdout, /^version 2 {2}pending {2}made \S+ by doctor\n$/)
    const [keys] = await service.running.clinic.keys()
    const { values } = openConfig(keys!.sealedConfig!, mote.keys)
    const { hrHigh, report, power, tempHigh, led } = values
    assert.deepEqual(
        { hrHigh, report, power, tempHigh, led },
        { hrHigh: 140, report: 30, power: 1, tempHigh: 38.3, led: 50 },
    )

    const got = await config("get")
    assert.match(got.stdout, /in force: version 1, reported/)
    assert.match(got.stdout, /^ {4}hrHigh {4}140 \/min$/m)
    assert.match(got.stdout, /^version 2 {2}pending .* power=interval$/m)
    await says(2)
    const history = await config("history")
    assert.deepEqual(
        history.stdout.split("\n").map(line => line.split(" ").slice(0, 4).join(" ")),
        ["version 2  applied", "version 1  applied", ""],
    )
    assert.match(history.stdout, / {2}tempHigh=38\.3 °C power=interval\n.* {2}hrHigh=140 \/min report=30 s\n$/)
})

test("a refusal makes it fail, with the mote's reason", async () => {
    const { version } = await newest()
    const set = config("set", "led=20", "--wait")
    await pending(version + 1)
    await says(version, { code: "out-of-range", setting: "led", min: 1, max: 20 })
    const { code, stdout, stderr } = await set
    assert.equal(code, 1)
    assert.match(stdout, /refused \S+: led: 1 to 20 mA/)
    assert.match(stderr, /^vitalmote: version 3 is refused: led: 1 to 20 mA\n$/)
    const late = await config("set", "led=21", "--wait", "--timeout", "1")
    assert.equal(late.code, 1)
    assert.equal(late.stderr, "vitalmote: the mote has not answered within 1 s\n")
})

test("commands are sent; wrong usage is said before anybody is asked", async () => {
    assert.equal((await config("identify")).code, 0)
    const clear = await config("clear", "--json")
    assert.equal((JSON.parse(clear.stdout) as { version: number }).version, 2)
    for (const [args, reason] of [
        [["set", "hrHigh=999"], "hrHigh: 30 to 250 /min"],
        [["set", "led=3", "led=4"], "led is given twice"],
        [["set", "constructor=3"], "unknown setting constructor"],
    ] as const) {
        const { code, stderr } = await config(...args)
        assert.deepEqual([code, stderr], [2, `vitalmote: ${reason}\n`])
    }
    const { code, stderr } = await config("set", "hrLow=150")
    assert.deepEqual([code, stderr], [1, "vitalmote: the clinic refuses: hrLow has to be below hrHigh\n"])
})
