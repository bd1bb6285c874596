// Opened vital signs and alarms on Debian's mosquitto, read with mosquitto_sub.
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { test, type TestContext } from "node:test"
import { silentLog } from "../../../host/log.ts"
import { startClinic } from "../../../clinic/index.ts"
import { publicationPlan, type PublicationFlags } from "../../../clinic/publication/plan.ts"
import { Mosquitto, needsMosquitto } from "../../support/mosquitto.ts"
import type { TestMote } from "../../support/mote.ts"
import { until } from "../../support/until.ts"
import { Service } from "../service.ts"
import { delivery, measurement } from "../support.ts"
import { alarmEvent } from "../../support/mote.ts"

const { skip } = needsMosquitto
const clients = spawnSync("which", ["mosquitto_sub"]).status === 0
const needs = { skip: skip || (clients ? false : "needs mosquitto_sub (mosquitto-clients)") }

const users = [
    { name: "clinic", password: "secret", rights: ["topic write vitalmote/#", "topic write homeassistant/#"] },
    { name: "north", password: "word", rights: ["topic read vitalmote/#", "topic read homeassistant/#"] },
]

interface Message {
    topic: string
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    body: any
}

/** A reader that stays, also over restarts of the broker. */
async function reader(t: TestContext, { port, ca }: Mosquitto, filter = "vitalmote/#"): Promise<Message[]> {
    const args = [
        "-h",
        "localhost",
        "-p",
        `${port}`,
        "-u",
        "north",
        "-P",
        "word",
        "-q",
        "1",
        "-i",
        `reader-${filter.length}`,
    ]
    const child = spawn("stdbuf", [
        ...["-o0", "mosquitto_sub", ...args, ...(ca ? ["--cafile", ca] : []), "-c", "-t", filter, "-d"],
        ...["-F", "message %t %p"],
    ])
    t.after(() => child.kill("SIGKILL"))
    const messages: Message[] = []
    let output = ""
    child.stdout.on("data", chunk => {
        output += String(chunk)
        const lines = output.split("\n")
        output = lines.pop()!
        for (const line of lines) {
            if (line.includes("received SUBACK")) isSubscribed = true
            const [, topic, body] = /^message (\S+) (.*)$/.exec(line) ?? []
            if (topic === undefined) continue
            messages.push({ topic, body: body!.startsWith("{") ? (JSON.parse(body!) as unknown) : body })
        }
    })
    let isSubscribed = false
    await until(() => isSubscribed, "the reader has subscribed")
    return messages
}

function planFor({ port, ca }: Mosquitto, more: Partial<PublicationFlags> = {}) {
    const flags = {
        ...{ publish: `${ca ? "mqtts" : "mqtt"}://clinic:secret@localhost:${port}`, publishPrefix: "vitalmote" },
        ...{ publishWards: "North, Inner/Medicine 1+", publishData: "hr,alarms", ...more },
    }
    return publicationPlan(flags, ca === undefined ? undefined : readFileSync(ca, "utf8"))!
}

async function admit(service: Service, given: string, ward: string) {
    const { patient, mote } = await service.admit(given, "Beck")
    const { clinic } = service.running
    await clinic.patients.update(patient, { ...(await clinic.patients.get(patient))!, ward, bed: `bed of ${given}` })
    return { patient, mote }
}

async function send(service: Service, mote: TestMote, hr: number): Promise<void> {
    const now = Date.now()
    const pack = [measurement("hr", hr, now - 1000), measurement("temp", 37, now - 1000)]
    const [result] = await service.ingest([delivery(mote.seal(pack, now), now)])
    assert.equal(result?.status, "stored")
}

async function raise(service: Service, mote: TestMote): Promise<void> {
    const now = Date.now()
    const event = alarmEvent("hr-high", true, now - 500, { value: 140, unit: "beat/min" })
    const [result] = await service.ingest([delivery(mote.sealAlarms([event], now), now, "alarm")])
    assert.equal(result?.status, "stored")
}

const values = (messages: Message[]) =>
    messages.filter(({ topic }) => topic.endsWith("/hr")).map(({ body }) => body.value as number)

test(
    "what the operator has chosen is published over TLS, by ward, in order, under a pseudonym, and is in the record",
    needs,
    async t => {
        const broker = await Mosquitto.startTls(t, ...users)
        const service = await Service.start(undefined, { publication: planFor(broker) })
        t.after(() => service.close())
        const [ada, other, inner] = [
            await admit(service, "Ada", "North"),
            await admit(service, "Olga", "South"),
            await admit(service, "Inga", "Inner/Medicine 1+"),
        ]
        const messages = await reader(t, broker)
        for (const hr of [60, 61, 62]) {
            await send(service, ada.mote, hr)
            await send(service, other.mote, 100 + hr)
        }
        await raise(service, ada.mote)
        await send(service, inner.mote, 70)
        await until(
            () => values(messages).length === 4,
            () => JSON.stringify(messages),
        )
        await until(() => messages.some(({ topic }) => topic.endsWith("/alarm")), "the alarm")
        assert.deepEqual(values(messages), [60, 61, 62, 70])
        const vital = messages.find(({ topic }) => topic.endsWith("/hr"))!
        assert.match(vital.topic, /^vitalmote\/North\/[0-9a-f]{16}\/hr$/)
        const { id, patient, time, ...rest } = vital.body
        assert.match(id, /^m\d+$/)
        assert.equal(vital.topic.split("/")[2], patient)
        assert.ok(Math.abs(Date.parse(time) - Date.now()) < 600_000)
        assert.deepEqual(rest, { quantity: "hr", value: 60, unit: "/min" })
        assert.ok(messages.some(({ topic }) => topic.startsWith("vitalmote/Inner%2FMedicine%201%2B/")))
        const alarm = messages.find(({ topic }) => topic.endsWith("/alarm"))!
        assert.match(alarm.body.id, /^a\d+$/)
        assert.deepEqual(
            [alarm.body.kind, alarm.body.change, alarm.body.patient, alarm.body.isOver],
            ["hr-high", "raised", patient, false],
        )
        assert.deepEqual(
            messages.filter(({ topic }) => topic === "vitalmote/status").map(({ body }) => body),
            ["online"],
        )
        const all = JSON.stringify(messages)
        for (const secret of ["Ada", "Beck", "Olga", "bed of", "South", "temp", ada.mote.eui])
            assert.ok(!all.includes(secret), secret)

        const events = (await service.running.clinic.audit.search({ limit: 100 })).filter(
            ({ action }) => action === "disclose",
        )
        const disclosed = (subject: string) =>
            events
                .filter(event => event.subject === subject)
                .flatMap(({ patients }) => patients)
                .sort()
        assert.deepEqual(disclosed("vital-signs"), [ada.patient, inner.patient].sort())
        assert.deepEqual(disclosed("alarms"), [ada.patient])
        assert.deepEqual(events[0]!.detail, { broker: planFor(broker).access.url, names: "no" })
        assert.ok(!planFor(broker).access.url.includes("secret"))

        await service.running.clinic.patients.update(ada.patient, {
            ...(await service.running.clinic.patients.get(ada.patient))!,
            ward: "South",
        })
        await send(service, ada.mote, 63)
        await send(service, inner.mote, 71)
        await until(() => values(messages).includes(71), "the next one")
        assert.deepEqual(values(messages), [60, 61, 62, 70, 71], "who has moved to another ward is not published")
    },
)

test(
    "a broker that is away, and a clinic that starts again, lose nothing; what comes twice has the same id",
    needs,
    async t => {
        const broker = await Mosquitto.startTls(t, ...users)
        const service = await Service.start(undefined, { publication: planFor(broker, { publishNames: true }) })
        t.after(() => service.close())
        const { mote } = await admit(service, "Ada", "North")
        const early = await reader(t, broker)
        await send(service, mote, 60)
        await until(() => values(early).length === 1, "the first")
        assert.deepEqual(
            [early.at(-1)!.body.name, early.at(-1)!.body.bed, early.at(-1)!.body.identifier],
            ["Beck, Ada", "bed of Ada", null],
        )
        broker.freeze()
        for (const hr of [61, 62]) await send(service, mote, hr)
        broker.thaw()
        await until(() => values(early).length === 3, "what waited for the broker")
        await broker.kill()
        for (const hr of [63, 64]) await send(service, mote, hr)
        await service.running.close()
        await broker.start()
        const late = await reader(t, broker, "vitalmote/+/+/hr")
        const again = await startClinic({ data: service.data, port: 0, log: silentLog, publication: planFor(broker) })
        t.after(() => again.close())
        const now = Date.now()
        await again.clinic.ingest([delivery(mote.seal([measurement("hr", 65, now)], now), now)])
        await until(
            () => new Set([...values(early), ...values(late)]).size === 6,
            () => JSON.stringify([early, late]),
        )
        const byId = new Map(
            [...early, ...late].filter(({ topic }) => topic.endsWith("/hr")).map(({ body }) => [body.id, body.value]),
        )
        assert.deepEqual([...byId.values()], [60, 61, 62, 63, 64, 65])
    },
)

test("Home Assistant is told of each patient, and of those who leave", needs, async t => {
    const broker = await Mosquitto.start(t, ...users)
    const plan = planFor(broker, { publishHomeAssistant: true, publishWards: "*" })
    const service = await Service.start(undefined, { publication: plan })
    t.after(() => service.close())
    const { mote, patient } = await admit(service, "Ada", "North")
    await send(service, mote, 60)
    const messages = await reader(t, broker, "homeassistant/#")
    await until(
        () => messages.length === 2,
        () => JSON.stringify(messages),
    )
    const [sensor, alarm] = messages
    const pseudonym = sensor!.body.device.identifiers[0].slice("vitalmote_".length) as string
    assert.equal(sensor!.topic, `homeassistant/sensor/vitalmote_${pseudonym}/hr/config`)
    assert.equal(sensor!.body.state_topic, `vitalmote/North/${pseudonym}/hr`)
    assert.equal(alarm!.topic, `homeassistant/event/vitalmote_${pseudonym}/alarm/config`)
    assert.equal(alarm!.body.state_topic, `vitalmote/North/${pseudonym}/alarm`)
    assert.equal((await service.call("DELETE", `/api/patients/${patient}`, { token: service.doctor })).status, 204)
    await until(
        () => messages.filter(({ body }) => body === "").length === 2,
        () => JSON.stringify(messages),
    )
})

test("nothing is published without an explicit choice, nor in the clear to another machine", () => {
    const good = { publish: "mqtts://a:b@broker", publishWards: "*", publishData: "hr", publishPrefix: "vitalmote" }
    assert.equal(publicationPlan({ publishPrefix: "vitalmote" }, undefined), undefined)
    assert.ok(publicationPlan(good, undefined))
    assert.ok(publicationPlan({ ...good, publish: "mqtt://127.0.0.1" }, undefined))
    for (const [more, reason] of [
        [{ publish: undefined }, /--publish: the address/],
        [{ publish: "mqtt://broker" }, /mqtts:\/\/ only/],
        [{ publish: "mqtt://127.0.0.1.example" }, /mqtts:\/\/ only/],
        [{ publish: "https://broker" }, /expected mqtt/],
        [{ publishWards: undefined }, /--publish-wards/],
        [{ publishWards: " , " }, /--publish-wards/],
        [{ publishData: undefined }, /hr, spo2, temp, alarms/],
        [{ publishData: "hr,batt" }, /hr, spo2, temp, alarms/],
        [{ publishPrefix: "a/#" }, /--publish-prefix/],
    ] as [Partial<PublicationFlags>, RegExp][])
        assert.throws(() => publicationPlan({ ...good, ...more }, undefined), reason)
})
