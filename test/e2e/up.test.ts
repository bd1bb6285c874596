import assert from "node:assert/strict"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { test } from "node:test"
import { Agent, request } from "undici"
import type { Credentials } from "../../cli/credentials.ts"
import { lanAddresses } from "../../router/index.ts"
import { apiClient } from "./api.ts"
import { run, temporaryFolder } from "./command.ts"
import { pulseCsv } from "./pulse.ts"

const jsQR = createRequire(import.meta.url)("jsqr") as (
    data: Uint8ClampedArray,
    width: number,
    height: number,
) => { data: string } | null

interface Bundle {
    entry?: {
        resource: { code: { coding: { code: string }[] }; valueQuantity?: { value: number } }
    }[]
}

const recordedBpm = 84
/** Of every recording: there is one column, so the second colour is made from it. */
const recordedSpo2 = 97
/** What a phone is told: an address of this machine, as a code that a camera reads, and a certificate that names it. */
async function otherDevice(stderr: string, port: string, ca: Buffer): Promise<void> {
    const [address] = lanAddresses()
    if (address === undefined) return assert.match(stderr, /this machine has no address on a network/)
    const url = `https://${address}:${port}/`
    assert.ok(stderr.includes(`on other devices: ${url}`), stderr)
    assert.equal(readCode(stderr.split("\n").filter(line => /^[ ▀▄█]+$/.test(line))), url)
    const agent = new Agent({ connect: { ca } })
    const { statusCode, body } = await request(`${url}readyz`, { dispatcher: agent })
    await body.dump()
    assert.equal(statusCode, 200)
    await agent.close()
}

/** Reads a QR code of half blocks, two rows of modules to a line. */
function readCode(lines: string[]): string | undefined {
    const [scale, quiet] = [4, 4]
    const rows = lines.flatMap(line => ["▀█", "▄█"].map(lit => [...line].map(char => lit.includes(char))))
    const size = (Math.max(rows.length, rows[0]!.length) + 2 * quiet) * scale
    const pixels = new Uint8ClampedArray(size * size * 4)
    for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++) {
            const lit = rows[Math.floor(y / scale) - quiet]?.[Math.floor(x / scale) - quiet] ?? true
            pixels.set(lit ? [255, 255, 255, 255] : [0, 0, 0, 255], (y * size + x) * 4)
        }
    return jsQR(pixels, size, size)?.data
}

/** LOINC. */
const heartRate = "8867-4"
const oxygenSaturation = "59408-5"
const anyPorts = ["--https-port", "0", "--coap-port", "0", "--mqtt-port", "0"]

test("up: from nothing to a heart rate and a saturation that a doctor sees, a clean end, and the same ward again", async t => {
    const data = temporaryFolder(t)
    const recording = join(data, "pulse.csv")
    writeFileSync(recording, pulseCsv(recordedBpm, 50, 60))
    const up = run(t, ["up", "--data", data, "--motes", "2", "--ppg", `${recording}@50`, ...anyPorts])
    const ready = await up.line("ready")
    assert.match(ready, /^ready https:\/\/localhost:\d+ coap\+tcp:\/\/localhost:\d+ mqtt:\/\/localhost:\d+$/)
    assert.equal(up.stdout.trim(), ready, "nothing else on stdout")

    const file = join(data, "credentials.json")
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const credentials = JSON.parse(readFileSync(file, "utf8")) as Credentials
    assert.equal(credentials.clinic, ready.split(" ")[1])
    assert.equal(credentials.motes.length, 2)

    const api = apiClient(t, credentials)
    const [recorded, madeUp] = credentials.motes.map(({ patient }) => patient)
    const first = await firstValue(api, recorded!, heartRate)
    assert.ok(Math.abs(first - recordedBpm) <= 3, `${first} instead of ${recordedBpm}`)
    const second = await firstValue(api, madeUp!, heartRate)
    assert.ok(second >= 40 && second <= 110, `heart rate ${second}`)
    const saturation = await firstValue(api, recorded!, oxygenSaturation)
    assert.ok(Math.abs(saturation - recordedSpo2) <= 2, `${saturation} instead of ${recordedSpo2}`)
    const madeUpSaturation = await firstValue(api, madeUp!, oxygenSaturation)
    assert.ok(madeUpSaturation >= 92 && madeUpSaturation <= 100, `saturation ${madeUpSaturation}`)
    for (const { secret } of credentials.motes)
        assert.ok(!(up.stdout + up.stderr).includes(secret), "no secret is printed")
    assert.ok(!(up.stdout + up.stderr).includes(credentials.doctor.password))
    assert.equal(await up.stop(), 0)

    const again = run(t, ["up", "--data", data, "--motes", "3", "--host", "0.0.0.0", ...anyPorts])
    const { port } = new URL((await again.line("ready")).split(" ")[1]!)
    await otherDevice(again.stderr, port, readFileSync(credentials.ca))
    const later = JSON.parse(readFileSync(file, "utf8")) as Credentials
    assert.deepEqual(later.motes.slice(0, 2), credentials.motes, "the motes of the first start")
    assert.equal(later.motes.length, 3)
    assert.deepEqual(later.doctor, credentials.doctor)
    assert.equal(await again.stop(), 0)

    writeFileSync(join(data, "clinic", "clinic.db"), "this is no database at all, not even close")
    const broken = run(t, ["up", "--data", data, ...anyPorts])
    assert.equal(await broken.exit, 1)
    assert.match(broken.stderr, /^vitalmote: .*clinic\.db.*$/m)
    assert.doesNotMatch(broken.stderr, /^\s+at /m)
})

async function firstValue(api: ReturnType<typeof apiClient>, patient: string, code: string): Promise<number> {
    for (let n = 0; n < 240; n++) {
        const path = `/fhir/Observation?patient=${patient}&code=${code}&_sort=-date&_count=5`
        const bundle = await api<Bundle>("GET", path)
        for (const { resource } of bundle.entry ?? []) if (resource.valueQuantity) return resource.valueQuantity.value
        await new Promise(resolve => setTimeout(resolve, 250))
    }
    assert.fail(`no ${code} of patient ${patient}`)
}
