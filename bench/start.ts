import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent, fetch } from "undici"
import type { Credentials } from "../cli/credentials.ts"
import { UserError } from "../host/errors.ts"
import { projectDir } from "../devicescript/build.ts"
import type { Row } from "./row.ts"

const pollMs = 100
const giveUpMs = 120_000
const anyPorts = ["--https-port", "0", "--coap-port", "0", "--mqtt-port", "0"]

interface Bundle {
    entry?: { resource: { valueQuantity?: object } }[]
}

/**
 * Time that `npm start` takes with a new data folder and dependencies installed: to its line `ready`, when the first
 * sealed reading is in the clinic, and to the first heart rate there, which needs 8 s of signal.
 */
export async function bench(): Promise<Row[]> {
    const data = mkdtempSync(join(tmpdir(), "vitalmote-bench-"))
    const startedAt = performance.now()
    const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10
    const up = spawn(process.execPath, ["scripts/start.mjs", "--data", data, ...anyPorts], {
        cwd: projectDir,
        stdio: ["ignore", "pipe", "ignore"],
    })
    const gone = new Promise<never>((_, reject) =>
        up.once("exit", code => reject(new UserError(`npm start ended with code ${code}`))),
    )
    gone.catch(() => {})
    try {
        let said = ""
        const ready = new Promise<void>(resolve =>
            up.stdout.on("data", text => {
                said += String(text)
                if (/^ready /m.test(said)) resolve()
            }),
        )
        await Promise.race([ready, gone])
        const readyS = seconds()
        await Promise.race([firstHeartRate(data), gone])
        const note = "three motes, empty data folder; depends on the machine"
        return [
            { what: "npm start to ready", value: readyS, unit: "s", note },
            { what: "npm start to a heart rate in the clinic", value: seconds(), unit: "s", note },
        ]
    } finally {
        const ended = new Promise(resolve => up.once("exit", resolve))
        if (up.exitCode === null && up.kill("SIGTERM")) await ended
        rmSync(data, { recursive: true, force: true })
    }
}

async function firstHeartRate(data: string): Promise<void> {
    const { clinic, ca, doctor } = JSON.parse(readFileSync(join(data, "credentials.json"), "utf8")) as Credentials
    const dispatcher = new Agent({ connect: { ca: readFileSync(ca, "utf8") } })
    const headers = { authorization: `Bearer ${doctor.token}` }
    const giveUp = performance.now() + giveUpMs
    try {
        for (;;) {
            const search = `${clinic}/fhir/Observation?code=8867-4&_count=50`
            const bundle = (await (await fetch(search, { dispatcher, headers })).json()) as Bundle
            if (bundle.entry?.some(({ resource }) => resource.valueQuantity)) return
            if (performance.now() > giveUp) throw new UserError("no heart rate in the clinic")
            await new Promise(resolve => setTimeout(resolve, pollMs))
        }
    } finally {
        await dispatcher.close()
    }
}
