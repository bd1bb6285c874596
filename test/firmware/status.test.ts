import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { projectDir } from "../../devicescript/build.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { deriveKeys, eui } from "../../wire/keys.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { jacdac, JacdacClient } from "../support/jacdac.ts"

type ServiceSpec = Parameters<typeof jacdac.loadServiceSpecifications>[0][number]

/** As the DeviceScript compiler provides it to dashboards. */
function specification(): ServiceSpec {
    const file = join(projectDir, ".devicescript/services.json")
    const specs = JSON.parse(readFileSync(file, "utf8")) as ServiceSpec[]
    return specs.find(({ name }) => name === "Mote status")!
}

test("a client on the cable sees the status of the mote: link, queue, receipts, versions", async t => {
    const clock = new VirtualClock()
    const keys = deriveKeys(randomBytes(32), randomBytes(8))
    const secret = randomBytes(32)
    const own = deriveKeys(secret, keys.kid)
    const router = new Router({
        ...{ clock, random: randomBytes, store: SqliteStore.inMemory(), log: silentLog },
        clinic: new MemoryClinic({ ...own, config: 0 }),
    })
    let isReachable = false
    const client = new JacdacClient(clock)
    const { mote, run, panics } = await runProgram("src/main.ts", {
        ...{
            clock,
            chips: wearableChips(clock, syntheticBody({ seed: 1 })),
            frame: client.receive,
        },
        settings: {
            ...{ kid: eui(keys.kid), secret: secret.toString("hex") },
            router: "coap+tcp://router.invalid",
        },
        connect: () => {
            if (!isReachable) return Promise.reject(new Error("unreachable"))
            const [near, far] = pipe(clock)
            router.accept(far)
            return Promise.resolve(near)
        },
    })
    client.mote = mote
    const spec = specification()
    client.bus.setCustomServiceSpecifications([spec])
    await run(25)

    const service = client.service(spec.classIdentifier)
    const registers = spec.packets.filter(({ kind, derived }) => kind === "ro" && !derived)
    const state = async () => {
        const values: Record<string, unknown[] | undefined> = {}
        for (const { name, identifier } of registers) values[name] = await service.get(identifier, run)
        return values
    }
    const before = await state()
    assert.deepEqual(before.link, [0])
    assert.ok((before.queued![0] as number) >= 8, String(before.queued))
    assert.equal(before.receipt_age, undefined)
    assert.equal(before.battery, undefined)
    assert.deepEqual(before.counters, [1, 0, 0, 0, 0])
    const { version } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as {
        version: string
    }
    assert.deepEqual(before.firmware, [version])
    assert.deepEqual(before.configuration, [0])

    isReachable = true
    await run(60)
    const linked = await state()
    assert.deepEqual(linked.link, [1])
    assert.ok((linked.queued![0] as number) < 8, String(linked.queued))
    assert.ok((linked.receipt_age![0] as number) <= 12, String(linked.receipt_age))
    const [boot, sent, repeated, receipts, lost] = linked.counters as number[]
    assert.deepEqual([boot, repeated, lost], [1, 0, 0])
    assert.ok(sent! >= 5 && sent! - receipts! <= 1 && sent! >= receipts!, `${sent} ${receipts}`)

    for (const { name, identifier } of registers) assert.equal(service.isImplemented(identifier), true, name)
    // Nothing is writable; this client then assumes that the register does not exist, and complains.
    t.mock.method(console, "assert", () => {})
    for (const code of [0x0180, 0x1101, 0x1187, 0x11ff, 0x2003, 0x2180, 0x3fff])
        await service.send(code, new Uint8Array(4).fill(0xff))
    assert.deepEqual((await state()).firmware, [version])
    assert.equal(service.isImplemented(0x180), false)
    assert.deepEqual(panics, [])
    mote.stop()
    await router.close()
})
