import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { test, type TestContext } from "node:test"
import type { Credentials } from "../../cli/credentials.ts"
import { jacdac } from "../support/jacdac.ts"
import { until } from "../support/until.ts"
import { apiClient } from "./api.ts"
import { run, temporaryFolder } from "./command.ts"
import { Devtools, devtoolsPorts } from "./devtools.ts"

const { JDBus, JDServerServiceProvider, SensorServer, SystemStatusCodes } = jacdac

/** A clinic, a router, and a patient with a registered mote. */
async function startWard(t: TestContext) {
    const data = temporaryFolder(t)
    const clinic = run(t, ["clinic", "--data", data, "--https-port", "0"])
    await clinic.line("ready")
    const credentials = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const api = apiClient(t, credentials)
    const { id } = await api<{ id: number }>("POST", "/api/patients", { given: "A", family: "B" })
    const mote = await api<{ kid: string; secret: string }>("POST", "/api/motes", { patient: id })
    await api("PUT", `/api/motes/${mote.kid}/config`, { settings: { report: 2 } })
    const place = ["--clinic", credentials.clinic, "--ca", credentials.ca]
    const ports = ["--coap-port", "0", "--mqtt-port", "0"]
    const router = run(t, ["router", "--data", data, ...place, ...ports], {
        VITALMOTE_TOKEN: credentials.router.token,
    })
    const url = /coap\+tcp:\S+/.exec(await router.line("ready"))![0]

    /** What the clinic has, newest first; null where the mote said that there is no value. */
    const values = async (code: string, count: number): Promise<(number | null)[]> => {
        const path = `/fhir/Observation?patient=${id}&code=${code}&_sort=-date&_count=${count}`
        const bundle = await api<Bundle>("GET", path)
        return (bundle.entry ?? []).map(({ resource }) => resource.valueQuantity?.value ?? null)
    }
    return { settings: { kid: mote.kid, secret: mote.secret, router: url }, values }
}

interface Bundle {
    entry?: { resource: { valueQuantity?: { value: number } } }[]
}

const heartRateCode = "8867-4"
const temperatureCode = "8310-5"

/** On the bus of the developer tools: two standard sensors, as their dashboard simulates them. */
async function joinBus(t: TestContext) {
    const bus = new JDBus([jacdac.createNodeSocketTransport(devtoolsPorts.tcp)], {
        disableRoleManager: true,
    })
    const leave = async () => {
        await bus.stop()
        await bus.disconnect()
    }
    t.after(leave)
    bus.start()
    await bus.connect()
    const heartRate = new SensorServer<[number]>(jacdac.SRV_HEART_RATE, {
        readingValues: [71.5],
        readingError: [0], // jacdac-ts adds so much noise
    })
    const temperature = new SensorServer<[number]>(jacdac.SRV_TEMPERATURE, {
        readingValues: [36.75],
        readingError: [0],
    })
    const provide = (name: string, sensor: typeof heartRate) =>
        bus.addServiceProvider(new JDServerServiceProvider(name, [sensor]))
    /** Writes into the simulator's flash, as the tools do when they deploy a program with its `.env.local`. */
    const configure = async (settings: Record<string, string>) => {
        const client = new jacdac.SettingsClient(bus.services({ serviceClass: jacdac.SRV_SETTINGS })[0]!)
        for (const [key, value] of Object.entries(settings))
            await client.setValue(key, Buffer.from(JSON.stringify(value)))
    }
    return { heartRate, temperature, provide, configure, leave }
}

test("under devs devtools and devs run the mote reports what standard simulated sensors say", async t => {
    const devtools = await Devtools.start(t)
    if (!devtools) return
    const ward = await startWard(t)
    const { heartRate, temperature, provide, configure, leave } = await joinBus(t)
    const newest = async () => [(await ward.values(heartRateCode, 1))[0], (await ward.values(temperatureCode, 1))[0]]
    const arrive = async (...expected: (number | null)[]) => {
        let found: unknown
        const isThere = async () => {
            found = await newest()
            return isDeepStrictEqual(found, expected)
        }
        const what = () => `${JSON.stringify(expected)} in the clinic, but ${JSON.stringify(found)}`
        await until(isThere, what, 120_000)
    }

    // Without an identity it still says what it senses, but not what it measures; the sensors come later than the program.
    const unknown = devtools.devs("run", "src/main.ts")
    await unknown.says("nothing is sent")
    await unknown.says("heart rate: no sensor")
    provide("heart rate", heartRate)
    await unknown.says("heart rate: has values")
    await configure(ward.settings)
    await until(() => Buffer.from(devtools.flash()).includes(ward.settings.router), "settings in the flash")
    await unknown.kill()
    assert.doesNotMatch(unknown.said, /71\.5/)

    // The program and its settings are in the simulator's flash now; here the sensors are there before.
    provide("temperature", temperature)
    await devtools.startSimulator()
    await arrive(71.5, 36.75)
    heartRate.reading.setValues([88.3])
    temperature.reading.setValues([38.5])
    await arrive(88.3, 38.5)

    // A sensor that is not sure, or not ready, has no value.
    heartRate.readingError.setValues([12])
    await arrive(null, 38.5)
    heartRate.readingError.setValues([0])
    await arrive(88.3, 38.5)
    heartRate.statusCode.setValues([SystemStatusCodes.WaitingForInput, 0])
    await arrive(null, 38.5)
    heartRate.statusCode.setValues([SystemStatusCodes.Ready, 0])
    await arrive(88.3, 38.5)

    await devtools.stopSimulator()
    heartRate.reading.setValues([64])
    devtools.devs("run", "src/main.ts")
    await arrive(64, 38.5)

    await leave()
    const known = (await ward.values(heartRateCode, 100)).filter(value => value !== null)
    assert.deepEqual([...new Set(known)].sort(), [64, 71.5, 88.3])
})
