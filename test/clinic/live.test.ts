import assert from "node:assert/strict"
import { Writable } from "node:stream"
import { after, before, test } from "node:test"
import { setImmediate } from "node:timers/promises"
import type { Alarm } from "../../clinic/alarms/alarm.ts"
import { LiveClient } from "../../clinic/http/live-client.ts"
import { LiveObservations } from "../../clinic/live.ts"
import type { Observation, Observations } from "../../clinic/readings/observations.ts"
import type { Changes } from "../../clinic/store/store.ts"
import { silentLog } from "../../host/log.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { delivery, measurement } from "./support.ts"
import { EventReader, type Event } from "./event-reader.ts"
import { Service } from "./service.ts"

let service: Service
let mote: TestMote
let patient: number
const doctorOf = (service: Service) => ({ authorization: `Bearer ${service.doctor}` })
const doctor = () => doctorOf(service)

before(async () => {
    service = await Service.start()
    ;({ patient, mote } = await service.admit())
})
after(() => service.close())

async function arrive(sealer: TestMote, ...values: number[]): Promise<void> {
    const now = Date.now()
    const pack = values.map((value, i) => measurement("hr", value, now + i))
    await service.ingest([delivery(sealer.seal(pack, now), now)])
}

const values = (events: Event[]) => events.map(e => e.data.value)
const listenerCount = () => service.running.clinic.live.listenerCount

/** Waits for what the other side of a socket does. */
async function until(isSo: () => boolean): Promise<void> {
    for (let tries = 0; !isSo(); tries++) {
        assert.ok(tries < 100_000, "it never came to that")
        await setImmediate()
    }
}

test("new values arrive; after a break the stream goes on where it was", async () => {
    const { json } = await service.get("/api/ward")
    const first = await EventReader.open(service, `/api/live?since=${json.newestId}`, doctor())
    assert.equal(first.response.headers["content-type"], "text/event-stream")
    await arrive(mote, 61, 62)
    await arrive(mote, 63)
    const heard = await first.next(3)
    assert.deepEqual(values(heard), [61, 62, 63])
    first.close()
    await arrive(mote, 64, 65)
    const second = await EventReader.open(service, `/api/live?since=${json.newestId}`, {
        ...{ ...doctor(), "last-event-id": heard[1]!.id! },
    })
    assert.deepEqual(values(await second.next(3)), [63, 64, 65])
    await arrive(mote, 66)
    assert.deepEqual(values(await second.next(1)), [66])
    second.close()
})

test("who has missed too much is told to start over", async () => {
    const { json } = await service.get("/api/ward")
    const many = Array.from({ length: 30 }, (_, i) => 60 + i)
    for (let i = 0; i < 35; i++) await arrive(mote, ...many)
    const reader = await EventReader.open(service, `/api/live?since=${json.newestId}`, doctor())
    assert.deepEqual(await reader.next(1), [{ event: "reset", data: {} }])
    await arrive(mote, 199)
    assert.deepEqual(values(await reader.next(1)), [199])
    reader.close()
})

test("patients hear of themselves only", async () => {
    const other = await service.admit("Ken", "Ito")
    const users = { token: service.doctor }
    const json = { user: "ken", role: "patient", password: "correct horse", patient: other.patient }
    await service.call("POST", "/api/users", { ...users, json })
    const { token } = (await service.call("POST", "/api/users/ken/tokens", users)).json
    const reader = await EventReader.open(service, "/api/live", {
        authorization: `Bearer ${token}`,
    })
    await arrive(mote, 70)
    await arrive(other.mote, 80)
    await arrive(mote, 71)
    await arrive(other.mote, 81)
    const heard = await reader.next(2)
    assert.deepEqual(values(heard), [80, 81])
    assert.ok(heard.every(e => e.data.patient === other.patient && e.data.patient !== patient))
    reader.close()
})

test("a client that never reads is cut off after a while; the others do not notice", async t => {
    const clock = new VirtualClock(Date.now())
    const service = await Service.start(clock)
    t.after(() => service.close())
    const { mote } = await service.admit()
    const { live } = service.running.clinic
    const sleeper = await EventReader.open(service, "/api/live", doctorOf(service))
    sleeper.response.pause()
    const reader = await EventReader.open(service, "/api/live?since=0", doctorOf(service))
    const many = Array.from({ length: 30 }, (_, i) => 60 + i)
    let sent = 0
    while (live.listenerCount === 2 && sent < 200_000) {
        const now = clock.now()
        const packs = Array.from({ length: 40 }, () => many.map((v, i) => measurement("hr", v, now + i)))
        // A large batch is stored in pieces, with a turn for others between two.
        let isStored = false
        const stored = service.ingest(packs.map(pack => delivery(mote.seal(pack, now), now)))
        void stored.finally(() => (isStored = true))
        while (!isStored) {
            await setImmediate()
            await clock.run(1)
        }
        await stored
        sent += packs.length * many.length
        await reader.next(packs.length * many.length)
        await clock.run(31_000)
    }
    assert.equal(live.listenerCount, 1)
    assert.equal(reader.isClosed, false)
    reader.close()
    sleeper.close()
})

test("a thousand open alarms cut nobody off, at no connect; one that changes is told alone", async t => {
    const service = await Service.start()
    t.after(() => service.close())
    const { clinic } = service.running
    const { patient } = await service.admit()
    const now = Date.now()
    const kinds = ["hr-low", "hr-high", "temp-low", "temp-high", "optical", "thermometer", "contact", "battery"]
    const raised = kinds.map((kind, i) => alarmEvent(kind, true, now, { id: i + 1 }))
    for (let i = 0; i < 125; i++) {
        const { mote, secret } = await clinic.motes.register(patient)
        const sealer = new TestMote({ kid: mote.kid, secret })
        await clinic.ingest([delivery(sealer.sealAlarms(raised, now), now, "alarm")])
    }
    for (let connect = 0; connect < 3; connect++) {
        const reader = await EventReader.open(service, "/api/live", doctorOf(service), ["alarms", "alarm"])
        const [all, ...each] = await reader.next(1001)
        const ids = (all!.data as { open: number[] }).open
        assert.equal(ids.length, 1000)
        assert.deepEqual(new Set(each.map(({ data }) => data.id)), new Set(ids))
        await clinic.alarms.acknowledge(ids[connect]!, "ruth")
        const [changed] = await reader.next(1)
        assert.deepEqual([changed!.event, changed!.data.id], ["alarm", ids[connect]])
        assert.equal(reader.isClosed, false)
        reader.close()
    }
})

/** Takes so many bytes before it says that it is full; reads when it is told to. */
class SlowReader extends Writable {
    text = ""
    private waiting: (() => void) | undefined

    constructor() {
        super({ highWaterMark: 2000 })
    }

    override _write(chunk: Buffer, _: string, done: () => void): void {
        this.text += chunk.toString()
        this.waiting = done
    }

    /** One piece more. */
    read(): void {
        const { waiting } = this
        this.waiting = undefined
        waiting?.()
    }

    /** All that waits. */
    async readAll(): Promise<void> {
        while (this.waiting) {
            this.read()
            await setImmediate()
        }
    }

    get events(): string[] {
        return [...this.text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name!)
    }
}

test("who reads slowly is not cut off, and gets the last state of each alarm", async () => {
    const clock = new VirtualClock()
    const stream = new SlowReader()
    const client = new LiveClient(stream, { isVisible: () => true, clock })
    const alarm = (id: number, acknowledgedBy: string | null = null) =>
        ({ id, kid: new Uint8Array(8), acknowledgedBy }) as Alarm
    const open = Array.from({ length: 100 }, (_, i) => alarm(i + 1))
    await client.catchUp(undefined, { openAlarms: async () => open, observationsSince: async () => [] })
    for (let i = 0; i < 500; i++) client.addAlarms([alarm(100, `nurse ${i}`)])
    for (let i = 0; i < 20; i++) {
        await clock.run(20_000)
        assert.equal(stream.destroyed, false)
        while (stream.writableNeedDrain) {
            stream.read()
            await setImmediate()
        }
    }
    await stream.readAll()
    assert.equal(stream.events.filter(event => event === "alarm").length, 100)
    assert.ok(stream.text.includes("nurse 499") && !stream.text.includes("nurse 498"))
    assert.equal(stream.events[0], "alarms")
})

test("who reads nothing for half a minute is cut off, and what waits for them is bounded", async () => {
    const clock = new VirtualClock()
    const stream = new SlowReader()
    stream.on("error", () => {})
    const client = new LiveClient(stream, { isVisible: () => true, clock })
    await client.catchUp(0, { openAlarms: async () => [], observationsSince: async () => [] })
    const observations = (from: number) =>
        Array.from({ length: 6000 }, (_, i) => ({ id: from + i, kid: new Uint8Array(8) }) as Observation)
    client.addObservations(observations(1))
    client.addObservations(observations(6001))
    await clock.run(29_000)
    assert.equal(stream.destroyed, false)
    await clock.run(2000)
    assert.equal(stream.destroyed, true)
    const again = new SlowReader()
    const next = new LiveClient(again, { isVisible: () => true, clock })
    await next.catchUp(0, { openAlarms: async () => [], observationsSince: async () => [] })
    next.addObservations(observations(1))
    next.addObservations(observations(6001))
    await again.readAll()
    assert.ok(again.events.includes("reset"))
    assert.ok(again.events.length < 100)
})

test("a HEAD request leaves nothing behind", async () => {
    await until(() => listenerCount() === 0)
    const { status } = await service.call("HEAD", "/api/live", { token: service.doctor })
    assert.equal(status, 404)
    assert.equal(listenerCount(), 0)
})

test("one user cannot take the live streams of all", async () => {
    await until(() => listenerCount() === 0)
    const open = () => EventReader.open(service, "/api/live", doctor())
    const readers: EventReader[] = []
    let refused: EventReader | undefined
    while (!refused && readers.length < 100) {
        const reader = await open()
        if (reader.response.statusCode === 200) readers.push(reader)
        else refused = reader
    }
    assert.equal(refused?.response.statusCode, 429)
    assert.equal(listenerCount(), readers.length)
    readers.pop()!.close()
    await until(() => listenerCount() === readers.length)
    const again = await open()
    assert.equal(again.response.statusCode, 200, "there is room again")
    for (const reader of [...readers, again, refused!]) reader.close()
})

test("a stream that closes while its user is looked up has no heartbeat any more", async t => {
    const clock = new VirtualClock(Date.now())
    const service = await Service.start(clock)
    t.after(() => service.close())
    const { accounts, live } = service.running.clinic
    const reader = await EventReader.open(service, "/api/live", {
        authorization: `Bearer ${service.doctor}`,
    })
    let answer: (() => void) | undefined
    const byToken = accounts.byToken.bind(accounts)
    const lookUp = t.mock.method(accounts, "byToken", async (token: string) => {
        await new Promise<void>(resolve => (answer = resolve))
        return await byToken(token)
    })
    await clock.run(10_000)
    await until(() => answer !== undefined)
    reader.close()
    await until(() => live.listenerCount === 0)
    answer!()
    await setImmediate()
    await clock.run(60_000)
    assert.equal(lookUp.mock.callCount(), 1)
})

test("what is stored at the very end of a read is told as well", async () => {
    for (let steps = 0; steps < 10; steps++) {
        const stored: Observation[] = []
        const since = async (id: number) => stored.filter(o => o.id > id)
        let changed: (changes: Changes) => void
        const source = { onChanged: (listener: typeof changed) => ((changed = listener), () => {}) }
        const live = new LiveObservations({ since } as unknown as Observations, 0, source, silentLog)
        const told: number[] = []
        live.subscribe(found => told.push(...found.map(o => o.id)))
        const written: Changes = new Map([["measurement", new Set<number>()]])
        changed!(written)
        for (let step = 0; step < steps; step++) await Promise.resolve()
        stored.push({ id: 1 } as Observation)
        changed!(written)
        await live.settled()
        assert.deepEqual(told, [1], `after ${steps} steps`)
    }
})
