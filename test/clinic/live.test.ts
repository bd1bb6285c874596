import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import { request } from "node:https"
import { after, before, test } from "node:test"
import { setImmediate } from "node:timers/promises"
import { LiveObservations } from "../../clinic/live.ts"
import type { Observation, Observations } from "../../clinic/readings/observations.ts"
import type { Changes } from "../../clinic/store/store.ts"
import { silentLog } from "../../host/log.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { delivery, measurement, type SealingMote } from "./support.ts"
import { Service } from "./service.ts"

interface Event {
    event: string
    id?: string
    data: { value?: number; patient?: number }
}

const limitMs = 20_000

/** Reads Server-Sent Events off a real connection. */
class EventReader {
    private readonly events: Event[] = []
    private waiting: (() => void) | undefined
    private text = ""
    readonly response: IncomingMessage
    isClosed = false
    private onEvent: (name: string, data: unknown) => void = () => {}

    private constructor(response: IncomingMessage) {
        this.response = response
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => this.read(chunk))
        response.on("error", () => {}) // "close" follows
        response.on("close", () => {
            this.isClosed = true
            this.waiting?.()
        })
    }

    static async open(service: Service, path: string, headers: Record<string, string>): Promise<EventReader> {
        const ca = readFileSync(service.running.caFile)
        const response = await new Promise<IncomingMessage>((resolve, reject) =>
            request(service.running.url + path, { ca, headers }, resolve)
                .on("error", reject)
                .end(),
        )
        const reader = new EventReader(response)
        reader.onEvent = (name, data) => service.description.checkEvent(name, data)
        return reader
    }

    /** The next events other than the heartbeat; fewer where the stream ends. Throws where they do not come. */
    async next(count: number): Promise<Event[]> {
        while (this.events.length < count && !this.isClosed) await this.more()
        return this.events.splice(0, count)
    }

    close(): void {
        this.response.destroy()
    }

    private async more(): Promise<void> {
        const { events } = this
        await new Promise<void>((resolve, reject) => {
            const late = () => reject(new Error(`only ${events.length} events came`))
            const timer = setTimeout(late, limitMs)
            this.waiting = () => (clearTimeout(timer), resolve())
        })
    }

    private read(chunk: string): void {
        this.text += chunk
        for (let end; (end = this.text.indexOf("\n\n")) >= 0; this.text = this.text.slice(end + 2)) {
            const fields = this.text.slice(0, end).split("\n")
            const field = (name: string) => fields.find(f => f.startsWith(`${name}: `))?.slice(name.length + 2)
            const [event, id, data] = [field("event")!, field("id"), JSON.parse(field("data")!)]
            this.onEvent(event, data)
            if (event !== "time" && event !== "alarms") this.events.push({ event, data, ...(id && { id }) })
        }
        this.waiting?.()
    }
}

let service: Service
let mote: SealingMote
let patient: number
const doctor = () => ({ authorization: `Bearer ${service.doctor}` })

before(async () => {
    service = await Service.start()
    ;({ patient, mote } = await service.admit())
})
after(() => service.close())

async function arrive(sealer: SealingMote, ...values: number[]): Promise<void> {
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
    const many = Array.from({ length: 50 }, (_, i) => 60 + i)
    for (let i = 0; i < 21; i++) await arrive(mote, ...many)
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

test("a client that never reads is cut off; the others do not notice", async () => {
    const { json } = await service.get("/api/ward")
    const sleeper = await EventReader.open(service, "/api/live", doctor())
    sleeper.response.pause()
    const reader = await EventReader.open(service, `/api/live?since=${json.newestId}`, doctor())
    const many = Array.from({ length: 50 }, (_, i) => 60 + i)
    let sent = 0
    const isCutOff = () => service.running.clinic.live.listenerCount < 2
    while (!isCutOff() && sent < 200_000) {
        const now = Date.now()
        const batch = Array.from({ length: 40 }, () =>
            delivery(
                mote.seal(
                    many.map((v, i) => measurement("hr", v, now + i)),
                    now,
                ),
                now,
            ),
        )
        await service.ingest(batch)
        sent += batch.length * many.length
        await reader.next(batch.length * many.length)
    }
    assert.ok(isCutOff())
    assert.equal(reader.isClosed, false)
    reader.close()
    sleeper.close()
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
