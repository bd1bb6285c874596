import assert from "node:assert/strict"
import { randomBytes, randomUUID } from "node:crypto"
import { createServer, type Server } from "node:http"
import { createServer as createTcpServer, type AddressInfo } from "node:net"
import { test, type TestContext } from "node:test"
import { Clinic } from "../../../clinic/index.ts"
import { rulesFor } from "../../../clinic/alarms/rules.ts"
import { notice } from "./notice.ts"
import type { Notice } from "../../../clinic/delivery/notice.ts"
import { describe } from "../../../clinic/delivery/notices.ts"
import { frame } from "../../../clinic/delivery/hl7/mllp.ts"
import { fieldsOf } from "../../../clinic/delivery/hl7/segment.ts"
import { Outbox } from "../../../clinic/delivery/outbox.ts"
import { parseRoute, write } from "../../../clinic/delivery/routes.ts"
import { realClock } from "../../../host/clock.ts"
import { silentLog } from "../../../host/log.ts"
import { until } from "../../support/until.ts"
import { alarmEvent, TestMote } from "../../support/mote.ts"
import { delivery } from "../support.ts"
import { newStore } from "../stores.ts"

const secret = "0123456789abcdef0123456789abcdef"
const route = (text: string) => parseRoute(text, secret, Date.now)

/** A receiver of webhooks that answers as it is told to, and notes what it got. */
class Receiver {
    readonly notices: Notice[] = []
    status = 204
    private readonly server: Server

    constructor(context: TestContext) {
        this.server = createServer((request, response) => {
            let body = ""
            request
                .on("data", chunk => (body += chunk))
                .on("end", () => {
                    this.notices.push(JSON.parse(body) as Notice)
                    if (this.status > 0) response.writeHead(this.status).end()
                })
        })
        context.after(() => {
            this.server.closeAllConnections()
            this.server.close()
        })
    }

    async listen(): Promise<string> {
        await new Promise<void>(resolve => this.server.listen(0, "127.0.0.1", resolve))
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
    }

    /** What it took, as `start hr-high`; of repetitions only the first. */
    get told(): string[] {
        const ids = this.notices.map(({ id }) => id)
        return this.notices
            .filter(({ id }, i) => ids.indexOf(id) === i)
            .map(({ phase, alarm }) => `${phase} ${alarm.kind}`)
    }
}

async function ward(context: TestContext, routes: string[], isStarted = true) {
    const store = await newStore()
    const key = randomBytes(32)
    const alarmRules = rulesFor(routes.map(route))
    const open = async () => {
        const clinic = await Clinic.open({
            store,
            clock: realClock,
            random: randomBytes,
            key,
            log: silentLog,
            alarmRules,
        })
        const outbox = new Outbox({
            ...{ store, routes: routes.map(route), clock: realClock, log: silentLog, newId: randomUUID },
            accepted: async (alarm, by) => void (await clinic.alarms.acknowledge(alarm, by)),
            describe: (alarm, delivery) => describe(clinic, "https://clinic.example", alarm, delivery),
        })
        clinic.alarms.follow(outbox)
        context.after(() => outbox.stop())
        return { clinic, outbox }
    }
    const { clinic, outbox } = await open()
    if (isStarted) await outbox.start()
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck", bed: "7" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const tell = async (kind: string, id: number, raised: boolean, value?: number) => {
        const now = Date.now()
        const event = alarmEvent(kind, raised, now, { id, value: value ?? null })
        const [result] = await clinic.ingest([delivery(sealer.sealAlarms([event], now), now, "alarm")])
        assert.equal(result!.status, "stored")
    }
    return { store, clinic, outbox, open, tell, patient }
}

test("outbox: who has to know is told that an alarm began and that it is over, once each", async context => {
    const receiver = new Receiver(context)
    const { tell, clinic } = await ward(context, [await receiver.listen()])
    await tell("hr-high", 1, true, 171)
    await tell("hr-high", 1, true, 171)
    await until(() => receiver.notices.length > 0, "a notice")
    const [first] = receiver.notices
    assert.equal(first!.patient!.name, "Beck, Ada")
    assert.equal(first!.alarm.value, 171)
    assert.equal(first!.alarm.priority, "high")
    assert.equal(first!.url, "https://clinic.example/#/patients/1")
    const [open] = await clinic.alarms.open()
    await clinic.alarms.acknowledge(open!.id, "ruth")
    await tell("hr-high", 1, false, 120)
    await until(() => receiver.notices.length > 1, "the end")
    assert.deepEqual(receiver.told, ["start hr-high", "end hr-high"])
})

test("outbox: a clinic that is killed between the alarm and its delivery delivers after its next start", async context => {
    const receiver = new Receiver(context)
    const { tell, open } = await ward(context, [await receiver.listen()], false)
    await tell("hr-high", 1, true, 171)
    assert.deepEqual(receiver.told, [])
    const { outbox } = await open()
    await outbox.start()
    await until(() => receiver.notices.length > 0, "the notice of before")
    assert.deepEqual(receiver.told, ["start hr-high"])
})

test("outbox: what fails is tried again under the same id, and the channel is said to fail until it works", async context => {
    const receiver = new Receiver(context)
    receiver.status = 503
    const { tell, outbox } = await ward(context, [await receiver.listen()])
    await tell("spo2-low", 1, true)
    await until(() => outbox.failing().length > 0, "a failure")
    assert.match(outbox.failing()[0]!.failure, /^unreachable: HTTP 503$/)
    receiver.status = 204
    await until(() => outbox.failing().length === 0, "the next attempt")
    assert.equal(new Set(receiver.notices.map(({ id }) => id)).size, 1)
    assert.deepEqual(receiver.told, ["start spo2-low"])
})

test("outbox: a channel that has failed has not worked because the clinic was restarted, and has not failed once it took something", async context => {
    const receiver = new Receiver(context)
    receiver.status = 503
    const before = Date.now()
    const first = await ward(context, [await receiver.listen()])
    await first.tell("spo2-low", 1, true)
    await until(() => first.outbox.failing().length > 0, "a failure")
    await first.outbox.stop()
    const { outbox } = await first.open()
    await outbox.start()
    const [failed] = outbox.failing()
    assert.match(failed!.failure, /^unreachable: HTTP 503$/)
    assert.ok(failed!.since >= Math.trunc(before) && failed!.since <= Date.now())
    receiver.status = 204
    await until(() => outbox.failing().length === 0, "the next attempt")
    await outbox.stop()
    const third = await first.open()
    await third.outbox.start()
    assert.deepEqual(third.outbox.failing(), [])
})

test("outbox: a receiver that never answers stops no other", async context => {
    const silent = new Receiver(context)
    silent.status = 0
    const other = new Receiver(context)
    const { tell } = await ward(context, [await silent.listen(), await other.listen()])
    for (const [i, kind] of ["hr-high", "spo2-low", "temp-high"].entries()) await tell(kind, i, true, 171)
    await until(() => other.told.length >= 3, "all of them at the other")
    assert.equal(silent.notices.length, 1)
})

test("outbox: with a delay nobody is told who would come for an alarm that somebody has acknowledged", async context => {
    const receiver = new Receiver(context)
    const { tell, clinic, store } = await ward(context, [`3600:${await receiver.listen()}`])
    await tell("hr-high", 1, true, 171)
    const [alarm] = await clinic.alarms.open()
    await clinic.alarms.acknowledge(alarm!.id, "ruth")
    await tell("hr-high", 1, false, 120)
    assert.deepEqual(await store.delivery.ofAlarm(alarm!.id), [])
    assert.deepEqual(receiver.told, [])
})

test("outbox: an alarm that comes and goes is told of once a minute, and every attempt is in its history", async context => {
    const receiver = new Receiver(context)
    const { tell, clinic } = await ward(context, [await receiver.listen()])
    for (let id = 1; id <= 30; id++) {
        await tell("hr-high", id, true, 171)
        await tell("hr-high", id, false, 120)
    }
    await until(() => receiver.told.length === 2, "beginning and end")
    const [alarm] = await clinic.alarms.open()
    assert.equal(alarm!.count, 30)
    const history = async () => (await clinic.alarms.history(alarm!.id)).filter(({ change }) => change === "told")
    await until(async () => (await history()).length === 2, "both in the history")
    assert.deepEqual(receiver.told, ["start hr-high", "end hr-high"])
})

test("outbox: an alarm manager that says by HL7 who has accepted an alarm acknowledges it by that name", async context => {
    const answers: string[] = []
    const server = createTcpServer(socket => {
        context.after(() => socket.destroy())
        socket
            .on("error", () => undefined)
            .on("data", (chunk: Buffer) => {
                // Two acknowledgements may come in one piece.
                const messages = chunk.toString().split("\x0b").filter(Boolean)
                answers.push(...messages)
                const [message = ""] = messages
                if (fieldsOf(message, "MSA")) return
                const [id, key] = [fieldsOf(message, "MSH")![8], fieldsOf(message, "OBR")![2]]
                socket.write(frame(`MSH|^~\\&|AM|H|VITALMOTE|WARD|20261130||ACK^R40^ACK|1|P|2.6\rMSA|CA|${id}\r`))
                const status = (value: string) =>
                    frame(
                        `MSH|^~\\&|AM|H|VITALMOTE|WARD|20261130||ORA^R41^ORA_R41|7|P|2.6\rOBR|1|${key}|${key}\r` +
                            `PRT|1|UC||AAP|n1^Smit^Olga\rOBX|1|ST|0||${value}\r`,
                    )
                socket.write(Buffer.concat([status("Delivered"), status("Accepted")]))
            })
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    context.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const { tell, clinic } = await ward(context, [`pager=mllp://127.0.0.1:${port}`])
    await tell("hr-high", 1, true, 171)
    await until(() => answers.length >= 3, "what the clinic answers")
    const [alarm] = await clinic.alarms.open()
    assert.deepEqual([alarm!.state, alarm!.acknowledgedBy], ["acknowledged", "Olga Smit (pager)"])
    assert.deepEqual(
        answers.slice(1, 3).map(answer => fieldsOf(answer, "MSA")),
        [
            ["AA", "7"],
            ["AA", "7"],
        ],
    )
})

test("outbox: alarms of a patient who is discharged are over for everybody who was told", async context => {
    const receiver = new Receiver(context)
    const { tell, clinic, patient } = await ward(context, [await receiver.listen()])
    await tell("hr-high", 1, true, 171)
    await until(() => receiver.told.length === 1, "the notice")
    await clinic.discharge(patient.id)
    await until(() => receiver.told.length === 2, "the end")
    assert.deepEqual(receiver.told, ["start hr-high", "end hr-high"])
})

test("routes: what is none is refused in a line that says what is", () => {
    for (const text of ["", "ftp://host/", "60", "mllp://host", "smtp://host", "9999:https://host/"])
        assert.throws(() => route(text), /^Error: --notify: |^UserError: --notify: |--notify: /, text)
    assert.throws(() => parseRoute("https://host/", "short", Date.now), /VITALMOTE_WEBHOOK_SECRET/)
    assert.equal(route("90:mllps://am.example:2575").afterMs, 90_000)
    assert.notEqual(route("https://host/a").name, route("https://host/b").name)
    assert.doesNotMatch(route("smtp://user:secret@host?from=a@b&to=c@d").name, /secret/)
})

test("e-mail: the words say bed and value, not the name", async context => {
    const receiver = new Receiver(context)
    const { tell } = await ward(context, [await receiver.listen()])
    await tell("hr-high", 1, true, 171)
    await until(() => receiver.notices.length > 0, "a notice")
    const { subject, text } = write(receiver.notices[0]!)
    assert.equal(subject, "Bed 7: Heart rate high 171 /min")
    assert.match(text, /Nobody has acknowledged it\.\nhttps:/)
    assert.doesNotMatch(subject + text, /Beck/)
})

test("e-mail: says where and until when, by the ward's clock, also of what is about no patient", () => {
    const { alarm } = notice
    const nobody = { ...notice, patient: null, mote: null }
    const silent = { ...alarm, kind: "router-silent", value: null, unit: null }
    const router = write({ ...nobody, subject: { about: "router", name: "icu" }, alarm: silent })
    assert.equal(router.subject, "Router icu: Router silent")
    assert.match(router.text, /, since 2026-11-30T04:00:00\+01:00\./)
    const filling = { ...silent, kind: "disk-filling" }
    const clinic = write({ ...nobody, subject: { about: "clinic", name: null }, alarm: filling })
    assert.equal(clinic.subject, "The clinic: Disk almost full")
    const ending = { ...alarm, kind: "battery-ending", value: Date.UTC(2026, 11, 1, 2, 40) / 1000, unit: "s" }
    const battery = write({ ...notice, alarm: ending })
    assert.match(battery.subject, /: Battery will not last the night: until 2026-12-01T03:40:00\+01:00$/)
})
