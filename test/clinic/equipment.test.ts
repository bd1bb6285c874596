import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { EquipmentWatch } from "../../clinic/alarms/equipment.ts"
import { Clinic } from "../../clinic/clinic.ts"
import type { RouterState } from "../../clinic/routers.ts"
import { silentLog } from "../../host/log.ts"
import { ManualClock } from "../support/clock.ts"
import { newStore } from "./stores.ts"

const day = 86_400_000

async function hospital() {
    const clock = new ManualClock()
    const store = await newStore()
    const clinic = await Clinic.open({ store, clock, random: randomBytes, key: randomBytes(32), log: silentLog })
    const state = {
        routers: [] as RouterState[],
        failing: [] as { name: string; since: number }[],
        free: 1e12,
        certificateEnds: clock.now() + 90 * day,
        isBackupOverdue: false,
    }
    const watch = new EquipmentWatch({
        ...{ store, alarms: clinic.alarms, now: () => clinic.now(), log: silentLog },
        ...{ routers: async () => state.routers, failing: () => state.failing },
        ...{ disk: async () => state.free, certificateEnds: () => state.certificateEnds },
        isBackupOverdue: () => state.isBackupOverdue,
    })
    const check = async () => {
        await watch.check()
        return (await clinic.alarms.open()).map(({ about, name, kind }) => `${about} ${name ?? ""} ${kind}`)
    }
    const router = (silentMs: number, clockOffsetMs: number | null = 0): RouterState => ({
        ...{ name: "icu", heardAt: clock.now() - silentMs, silentMs, clockOffsetMs, storeLostAt: null, lagMs: null },
    })
    return { clinic, clock, state, check, router }
}

test("equipment: a router that goes is one alarm of high priority until it is heard, and silence does not end it", async () => {
    const { clinic, state, check, router } = await hospital()
    state.routers = [router(20_000)]
    assert.deepEqual(await check(), [])
    state.routers = [router(26_000)]
    assert.deepEqual(await check(), ["router icu router-silent"])
    assert.equal((await clinic.alarms.open())[0]!.priority, "high")
    for (const silentMs of [60_000, 2 * day, 30 * day]) {
        state.routers = [router(silentMs)]
        assert.deepEqual(await check(), ["router icu router-silent"])
    }
    state.routers = [router(1000)]
    assert.deepEqual(await check(), [])
    // One that was away for long when the clinic started was taken out of service.
    state.routers = [router(30 * day)]
    assert.deepEqual(await check(), [])
})

test("equipment: a router that is removed is not missed any more", async () => {
    const { state, check, router } = await hospital()
    state.routers = [router(26_000)]
    assert.equal((await check()).length, 1)
    state.routers = []
    assert.deepEqual(await check(), [])
})

test("equipment: a router's clock, a channel, the disk, the certificate and the backup", async () => {
    const { clock, state, check, router } = await hospital()
    state.routers = [router(1000, -9000)]
    state.failing = [{ name: "pager", since: clock.now() }]
    state.free = 500e6
    state.certificateEnds = clock.now() + 6 * day
    state.isBackupOverdue = true
    const first = await check()
    assert.deepEqual(first.sort(), [
        "clinic  backup-overdue",
        "clinic  certificate-ending",
        "clinic  disk-filling",
        "router icu router-clock",
    ])
    clock.step(61_000)
    assert.ok((await check()).includes("channel pager channel-failed"))
    state.routers = [router(1000)]
    state.failing = []
    state.free = 1e12
    state.certificateEnds = clock.now() + 90 * day
    state.isBackupOverdue = false
    assert.deepEqual(await check(), [])
})
