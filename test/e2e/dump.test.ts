// Whoever takes a router gets its memory and disk: what they hold after real traffic.
import assert from "node:assert/strict"
import { randomInt } from "node:crypto"
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { startClinic } from "../../clinic/index.ts"
import { silentLog } from "../../host/log.ts"
import { encodePack } from "../../wire/pack.ts"
import { measurement } from "../clinic/support.ts"
import { CoapClient } from "../router/client.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { run } from "./command.ts"
import { freePort } from "./ports.ts"

const packs = 24
const readings = 30
/** Of a pack, enough to be told from everything else. */
const needleBytes = 24

interface Needle {
    name: string
    bytes: Buffer
}

/** A key as a program may hold it. */
function formsOf(name: string, key: Uint8Array): Needle[] {
    const raw = Buffer.from(key)
    const texts = (["hex", "base64", "base64url"] as const).map(encoding => ({
        name: `${name} in ${encoding}`,
        bytes: Buffer.from(raw.toString(encoding)),
    }))
    return [{ name, bytes: raw }, ...texts]
}

const found = (needles: Needle[], hay: Buffer) =>
    needles.filter(({ bytes }) => hay.includes(bytes)).map(({ name }) => name)

/** What of it is in the memory that a process can write to. Undefined where the system lets nobody look. */
function foundInMemory(pid: number, needles: Needle[]): Set<string> | undefined {
    const names = new Set<string>()
    let memory: number
    try {
        memory = openSync(`/proc/${pid}/mem`, "r")
    } catch {
        return undefined
    }
    const regions = readFileSync(`/proc/${pid}/maps`, "utf8").matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)
    for (const [, from, to] of regions) {
        const start = Number.parseInt(from!, 16)
        const hay = Buffer.alloc(Number.parseInt(to!, 16) - start)
        try {
            readSync(memory, hay, 0, hay.length, start)
        } catch {
            continue // a guard page, or gone
        }
        for (const name of found(needles, hay)) names.add(name)
    }
    closeSync(memory)
    return names
}

function foundOnDisk(folder: string, needles: Needle[], without?: string): Set<string> {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
        entry => entry.isFile() && entry.name !== without,
    )
    return new Set(files.flatMap(file => found(needles, readFileSync(join(file.parentPath, file.name)))))
}

/** Readings that nobody else has. */
function randomPack(now: number): Uint8Array {
    const values = Array.from({ length: readings }, (_, i) =>
        measurement("hr", randomInt(300, 2000) / 10, now - (readings - i) * 10_000),
    )
    return encodePack(values, now)
}

/** A clinic, a router in a process of its own, and a mote that it takes envelopes of. */
async function ward(t: TestContext) {
    const folders = { clinic: temporaryFolder(t), router: temporaryFolder(t) }
    const running = await startClinic({ data: folders.clinic, port: await freePort(), log: silentLog })
    t.after(() => running.close().catch(() => {}))
    const { clinic } = running
    const { accounts, patients, motes } = clinic
    const account = await accounts.add({ name: "router", role: "router" })
    const { id } = await patients.add({ given: "Ada", family: "Unmistakable" })
    const { mote: row, secret } = await motes.register(id)
    await clinic.configure(row.kid, { settings: { report: 7 }, author: "ada" })
    const coapPort = await freePort()
    const router = run(
        t,
        [
            ...["router", "--data", folders.router, "--clinic", running.url, "--ca", running.caFile],
            ...["--coap-port", String(coapPort), "--mqtt-port", "0"],
        ],
        { VITALMOTE_TOKEN: await accounts.addToken(account.id) },
    )
    await router.line("ready")
    return { folders, running, patient: id, router, coapPort, secret, mote: new TestMote({ kid: row.kid, secret }) }
}

test("a router's memory and disk, with traffic that waits, hold no reading and no key that opens or makes one", async t => {
    const { folders, running, patient, router, coapPort, secret, mote } = await ward(t)
    const { upEnc, upMac, downEnc, downMac } = mote.keys
    const never = Object.entries({ secret, upEnc, downEnc, downMac }).flatMap(([name, key]) => formsOf(name, key))
    const client = await CoapClient.connect(coapPort)
    t.after(() => client.destroy())
    let envelope: Uint8Array = new Uint8Array()
    const send = async (i: number) => {
        const plaintext = randomPack(Date.now())
        assert.ok(plaintext.length > 2 * needleBytes)
        // Its beginning is alike in all packs.
        never.push({ name: `readings ${i}`, bytes: Buffer.from(plaintext.subarray(-needleBytes)) })
        envelope = mote.envelope({ plaintext })
        await until(async () => (await client.code("/vitals", envelope)) === "2.04", "it is taken")
    }
    for (let i = 0; i < packs / 2; i++) await send(i)
    const { observations } = running.clinic
    const stored = () => observations.count({ patients: [patient], names: ["hr"], when: undefined })
    await until(async () => (await stored()) > (packs / 2 - 1) * readings, "readings at the clinic")
    await running.close()
    for (let i = packs / 2; i < packs; i++) await send(i)

    const waits = { name: "an envelope that waits", bytes: Buffer.from(envelope) }
    const held = { name: "up mac", bytes: Buffer.from(upMac) }
    const memory = foundInMemory(router.child.pid!, [...never, held])
    const disk = foundOnDisk(folders.router, [...never, waits])
    assert.deepEqual([...disk], [waits.name], "the search finds what is there, and nothing else")
    if (!memory) return t.skip("needs a system that lets a test read the memory of a process that it started")
    assert.deepEqual([...memory], [held.name], "the search finds what is there, and nothing else")

    const family = { name: "the patient", bytes: Buffer.from("Unmistakable") }
    const secrets = formsOf("secret", secret)
    const opened = Object.entries({ upEnc, downEnc, downMac }).flatMap(([name, key]) => formsOf(name, key))
    const clinic = foundOnDisk(folders.clinic, [...secrets, ...opened, family], "clinic.key")
    assert.deepEqual([...clinic], [family.name], "a clinic's disk holds secrets under its key only")
})
